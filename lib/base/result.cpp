#include "base/result.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace graft {

namespace {
constexpr std::size_t server_text_limit = 500;
}  // namespace

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::rejected:
      return "rejected";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::ambiguous:
      return "ambiguous";
    case ErrorCode::protocol:
      return "protocol";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::blocked:
      return "blocked";
    case ErrorCode::io:
      return "io";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

Error&& Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

Error&& Error::with_server_text(std::string_view text) && {
  server_text = printable(text, server_text_limit);
  return std::move(*this);
}

Error&& Error::at(Position position) && {
  where = std::move(position);
  return std::move(*this);
}

Error&& Error::retry() && {
  retryable = true;
  return std::move(*this);
}

Error&& Error::context(std::string_view prefix) && {
  message = fmt::format("{}: {}", prefix, message);
  return std::move(*this);
}

std::string Error::describe() const {
  std::string line = where.known() ? fmt::format("{}: {}", where.to_string(), message) : message;
  if (!server_text.empty()) line += fmt::format("; the server said: {}", server_text);
  if (!hint.empty()) line += fmt::format(" ({})", hint);
  return line;
}

}  // namespace graft
