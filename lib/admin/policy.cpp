#include "admin/policy.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace graft::admin {

namespace {

// More than one of these is two opinions in one request.
constexpr std::string_view single_fields[] = {"Host",         "Content-Length", "Transfer-Encoding",
                                              "Content-Type", "Authorization",  "Origin",
                                              "Expect",       "Sec-Fetch-Site", "Last-Event-ID"};

bool digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The host of "host", "host:port", "[::1]:port"; nothing when the text has another form.
std::optional<std::string_view> host_of(std::string_view authority) {
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  const std::size_t colon = authority.find(':', bracket);
  if (colon == std::string_view::npos) return authority;
  const std::string_view port = authority.substr(colon + 1);
  if (!digits(port) || port.size() > 5) return std::nullopt;
  return authority.substr(0, colon);
}

std::string_view without_scheme(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  return {};
}

std::string_view first_of_list(std::string_view& rest) {
  const std::string_view item = rest.substr(0, rest.find(','));
  rest.remove_prefix(std::min(rest.size(), item.size() + 1));
  return trim(item);
}

std::expected<BodyLength, Refusal> wrong(std::string_view message) {
  return std::unexpected(Refusal{400, std::string(message)});
}

}  // namespace

std::optional<std::string_view> RequestHead::find(std::string_view name) const {
  for (const Field& field : fields)
    if (equal_ignoring_ascii_case(field.name, name)) return field.value;
  return std::nullopt;
}

std::size_t RequestHead::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields, [&](const Field& field) { return equal_ignoring_ascii_case(field.name, name); }));
}

std::expected<BodyLength, Refusal> check_framing(const RequestHead& head) {
  for (const std::string_view name : single_fields)
    if (head.count(name) > 1) return wrong("the header " + std::string(name) + " comes twice");
  BodyLength out;
  if (const auto coding = head.find("Transfer-Encoding")) {
    if (!equal_ignoring_ascii_case(*coding, "chunked") || head.http_1_0)
      return wrong("the only transfer coding known here is chunked");
    out.chunked = true;
  }
  if (const auto length = head.find("Content-Length")) {
    if (out.chunked) return wrong("Content-Length and Transfer-Encoding exclude each other");
    std::size_t bytes = 0;
    if (!digits(*length) || std::from_chars(length->data(), length->data() + length->size(), bytes).ec != std::errc())
      return wrong("Content-Length is not a number");
    out.bytes = bytes;
  }
  const auto expectation = head.find("Expect");
  if (expectation && !equal_ignoring_ascii_case(*expectation, "100-continue"))
    return std::unexpected(Refusal{417, "the only expectation known here is 100-continue"});
  return out;
}

AllowedHosts::AllowedHosts(std::vector<std::string> more) {
  names_.insert(names_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

bool AllowedHosts::allow(std::string_view authority, std::string_view local_address) const {
  const auto host = host_of(authority);
  if (!host || host->empty()) return false;
  if (equal_ignoring_ascii_case(*host, local_address)) return true;
  return std::ranges::any_of(names_, [&](const std::string& name) { return equal_ignoring_ascii_case(*host, name); });
}

std::optional<Refusal> check_origin(const RequestHead& head, const AllowedHosts& hosts,
                                    std::string_view local_address) {
  const auto host = head.find("Host");
  if (!host) return Refusal{400, "the Host header is missing"};
  if (!hosts.allow(*host, local_address))
    return Refusal{421, "this server is not known by the name in the Host header; http.hosts lists further names"};
  const auto origin = head.find("Origin");
  if (origin && !equal_ignoring_ascii_case(without_scheme(*origin), *host))
    return Refusal{403, "pages of other origins are not served"};
  return std::nullopt;
}

std::optional<Refusal> check_site(const RequestHead& head) {
  const auto site = head.find("Sec-Fetch-Site");
  if (!site || *site == "same-origin" || *site == "none") return std::nullopt;
  return Refusal{403, "a page of another site must not change anything"};
}

bool is_json(std::string_view content_type) {
  return equal_ignoring_ascii_case(trim(content_type.substr(0, content_type.find(';'))), "application/json");
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  if (etag.empty()) return false;
  while (!if_none_match.empty()) {
    std::string_view tag = first_of_list(if_none_match);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

}  // namespace graft::admin
