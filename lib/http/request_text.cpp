#include "http/request_text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace graft::http {

namespace {

bool token(std::string_view text) {
  const auto allowed = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ':'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool target(std::string_view text) {
  const auto allowed = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), allowed);
}

// Tells where the fault lies without its value, which may be a password.
Status check(const Request& request) {
  if (!token(request.method)) return fail(ErrorCode::invalid, "a request's method is not one word");
  if (!target(request.target))
    return fail(ErrorCode::invalid,
                fmt::format("{} is no request target: not percent-encoded?", quote(request.target)));
  for (const auto& [name, value] : request.headers) {
    if (!token(name)) return fail(ErrorCode::invalid, fmt::format("{} is no header name", quote(name)));
    if (has_control_characters(value))
      return fail(ErrorCode::invalid, fmt::format("the value of header {} holds a control character", name));
  }
  return {};
}

bool says_its_length(const Request& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

}  // namespace

Result<RequestText> RequestText::render(Request& request, const BaseUrl& server, const std::string& agent) {
  if (auto status = check(request); !status) return fail(std::move(status.error()));
  RequestText out;
  std::size_t size = 256 + request.target.size() + server.path.size() + server.authority.size() + agent.size();
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + 4;
  out.head_.reserve(size);  // a string that grows would leave its old bytes behind, unwiped
  out.head_ += fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n", request.method, server.path,
                           request.target, server.authority, agent);
  for (const auto& [name, value] : request.headers) out.head_.append(name).append(": ").append(value).append("\r\n");
  if (says_its_length(request)) out.head_ += fmt::format("Content-Length: {}\r\n", request.body.size());
  out.head_ += "\r\n";
  out.body_ = std::exchange(request.body, {});
  out.name_ = fmt::format("{} {}://{}{}{}", request.method, server.tls ? "https" : "http", server.authority,
                          server.path, request.target);
  out.expects_body_ = request.method != "HEAD";
  for (auto& [name, value] : request.headers) wipe(value);
  return out;
}

}  // namespace graft::http
