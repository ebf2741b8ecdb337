#include "admin/response.hpp"

#include <boost/beast/http/status.hpp>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

std::string http_date() {
  const auto now = static_cast<std::time_t>(system_clock().wall().time_since_epoch().count());
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
}

// As browsers see the text: line ends are one line feed.
std::string with_plain_line_ends(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') out.push_back('\n');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string digest_source(std::string_view text) {
  const std::string hex = sha256_hex(with_plain_line_ends(text));
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return fmt::format(" 'sha256-{}'", base64(bytes));
}

// " 'sha256-…'" of each inline element <name …>text</name>; `lower` is the page in lower case.
std::string inline_sources(std::string_view html, std::string_view lower, const std::string& name) {
  std::string out;
  for (std::size_t at = lower.find("<" + name); at != std::string_view::npos; at = lower.find("<" + name, at)) {
    const std::size_t begin = lower.find('>', at);
    const std::size_t end = begin == std::string_view::npos ? begin : lower.find("</" + name, begin);
    if (end == std::string_view::npos) break;
    const std::string_view tag = lower.substr(at, begin - at);
    if (tag.find(" src=") == std::string_view::npos) out += digest_source(html.substr(begin + 1, end - begin - 1));
    at = end;
  }
  return out;
}

void add_protection(std::map<std::string, std::string>& fields, const Response& response) {
  fields["X-Content-Type-Options"] = "nosniff";
  fields["Cache-Control"] = response.etag.empty() ? "no-store" : "no-cache";
  fields["Referrer-Policy"] = "no-referrer";
  fields["X-Frame-Options"] = "DENY";
  fields["Cross-Origin-Resource-Policy"] = "same-origin";
  const bool has_policy = response.headers.contains("Content-Security-Policy");
  if (response.content_type.starts_with("text/html") && !has_policy)
    fields["Content-Security-Policy"] = content_security_policy(response.body ? *response.body : "");
}

}  // namespace

Response text_response(int status, std::string body, std::string content_type) {
  Response out;
  out.status = status;
  out.content_type = std::move(content_type);
  out.body = std::make_shared<const std::string>(std::move(body));
  return out;
}

Response json_response(int status, std::string body) {
  return text_response(status, std::move(body), "application/json");
}

Response error_response(int status, std::string_view message) {
  const nlohmann::json document{{"error", message}};
  return json_response(status, document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::string content_security_policy(std::string_view html) {
  std::string lower(html);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return fmt::format(
      "default-src 'none'; script-src 'self'{}; style-src 'self'{}; connect-src 'self'; img-src 'self' data:; "
      "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      inline_sources(html, lower, "script"), inline_sources(html, lower, "style"));
}

std::string render_head(const Response& response, const HeadOptions& options) {
  std::map<std::string, std::string> fields{{"Date", http_date()}};
  add_protection(fields, response);
  if (response.status != 304) fields["Content-Type"] = response.content_type;
  if (!response.etag.empty()) fields["ETag"] = response.etag;
  for (const auto& [name, value] : response.headers) fields[name] = value;
  if (options.close) fields["Connection"] = "close";
  if (options.length && response.status != 304) fields["Content-Length"] = std::to_string(*options.length);
  const auto status = static_cast<boost::beast::http::status>(response.status);
  const auto reason = boost::beast::http::obsolete_reason(status);
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
  for (const auto& [name, value] : fields)
    if (!has_control_characters(name) && !has_control_characters(value)) out += fmt::format("{}: {}\r\n", name, value);
  return out + "\r\n";
}

}  // namespace graft::admin
