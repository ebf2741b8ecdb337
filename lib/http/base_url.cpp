#include "http/base_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <fmt/format.h>

#include "base/text.hpp"

namespace graft::http {

namespace {

namespace urls = boost::urls;

Error refused(std::string_view text, std::string_view why, std::string hint) {
  return Error(ErrorCode::invalid, fmt::format("the URL {} {}", quote(text), why)).with_hint(std::move(hint));
}

// 0: none from 1 to 65535. (Boost 1.81's port_number() lets 99999 through as 34463.)
std::uint16_t port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() ? port : std::uint16_t{0};
}

// The rules in the order in which a person would want to hear of them. What is refused for its password is not
// repeated.
Status check(std::string_view text, const urls::url_view& url) {
  const bool http = url.scheme_id() == urls::scheme::http || url.scheme_id() == urls::scheme::https;
  if (!http) return fail(refused(text, "is neither http nor https", "write it like https://grafana.example:3000"));
  if (url.has_userinfo()) {
    return fail(Error(ErrorCode::invalid, "the URL holds a user name or password")
                    .with_hint("credentials belong to grafana.auth"));
  }
  if (url.encoded_host().empty()) return fail(refused(text, "names no host", "write it like https://grafana.example"));
  if (url.has_query() || url.has_fragment())
    return fail(refused(text, "has a query or a fragment", "give the address up to Grafana's root path only"));
  if (url.has_port() && port_of(url.port()) == 0)
    return fail(refused(text, "has no port from 1 to 65535", "leave the port out for 80 (http) or 443 (https)"));
  return {};
}

std::string without_slash_at_end(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view text) {
  const auto parsed = urls::parse_uri(text);
  if (!parsed) {
    // Never echo what may hold a password.
    const bool userinfo = text.find('@') != std::string_view::npos;
    if (userinfo)
      return fail(Error(ErrorCode::invalid, "the URL cannot be read").with_hint("credentials belong to grafana.auth"));
    return fail(refused(text, "cannot be read", "write it like https://grafana.example:3000"));
  }
  const urls::url_view url = *parsed;
  if (auto status = check(text, url); !status) return fail(std::move(status.error()));
  BaseUrl out;
  out.tls = url.scheme_id() == urls::scheme::https;
  out.is_address = url.host_type() == urls::host_type::ipv4 || url.host_type() == urls::host_type::ipv6;
  out.host = url.host_address();
  out.port = url.has_port() ? port_of(url.port()) : static_cast<std::uint16_t>(out.tls ? 443 : 80);
  out.path = without_slash_at_end(std::string(std::string_view(url.encoded_path())));
  out.authority = std::string(std::string_view(url.encoded_host()));
  if (url.has_port()) out.authority += fmt::format(":{}", out.port);
  return out;
}

}  // namespace graft::http
