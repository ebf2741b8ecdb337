#include "base/result.hpp"

#include <cctype>
#include <fmt/format.h>

#include "base/text.hpp"

namespace graft {

namespace {
constexpr std::size_t server_text_limit = 500;
// A server that quotes a request, or an answer that is no error at all, may hold a key or a login.
std::string without_credentials(std::string text) {
  constexpr std::string_view stars = "***";
  constexpr std::size_t shortest = 8;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-+/=.~").find(c) != std::string_view::npos;
  };
  for (const std::string_view mark : {"glsa_", "Bearer ", "bearer ", "Basic ", "basic "}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + mark.size())) {
      const std::size_t begin = at + mark.size();
      std::size_t end = begin;
      while (end < text.size() && is_word(text[end])) ++end;
      if (end - begin < shortest) continue;  // "Basic auth" is a word of a sentence
      text.replace(begin, end - begin, stars);
    }
  }
  return text;
}

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
  server_text = printable(without_credentials(std::string(text)), server_text_limit);
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
