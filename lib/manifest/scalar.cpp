#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text.hpp"
#include "manifest/reader.hpp"

namespace graft::manifest {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `text`; false when there is none.
bool take_digits(std::string_view& text) {
  const std::size_t count = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), digit) - text.begin());
  text.remove_prefix(count);
  return count > 0;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

// A number as JSON writes it. What only YAML calls a number (octal, hexadecimal, `.inf`) could not be sent as one.
bool is_number(std::string_view text) {
  take(text, "-");
  const bool leading_zero = text.size() > 1 && text[0] == '0' && digit(text[1]);
  if (leading_zero || !take_digits(text)) return false;
  if (take(text, ".") && !take_digits(text)) return false;
  if (take(text, "eE")) {
    take(text, "+-");
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool forbidden(char c) {
  const bool blank = c == '\n' || c == '\r' || c == '\t';
  return (static_cast<unsigned char>(c) < 0x20 && !blank) || c == 0x7f;
}

}  // namespace

Node::Type plain_scalar_type(std::string_view text) {
  constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
  constexpr std::array<std::string_view, 6> booleans{"true", "True", "TRUE", "false", "False", "FALSE"};
  if (one_of(text, nulls)) return Node::Type::null;
  if (one_of(text, booleans)) return Node::Type::boolean;
  return is_number(text) ? Node::Type::number : Node::Type::string;
}

std::optional<Unreadable> unreadable(std::string_view text) {
  if (const auto bad = invalid_utf8(text)) {
    return Unreadable{*bad, "the file is not sound UTF-8", "save it as UTF-8"};
  }
  // yaml-cpp takes 0x04 for the end of the file, so this is also what keeps half a manifest from being read.
  const auto control = std::find_if(text.begin(), text.end(), forbidden);
  if (control != text.end()) {
    const auto offset = static_cast<std::size_t>(control - text.begin());
    return Unreadable{offset, fmt::format("control character 0x{:02x} in the file", static_cast<unsigned>(*control)),
                      "take it out; inside quotes write it as an escape if it is meant"};
  }
  if (const std::size_t mark = text.find(byte_order_mark, 1); mark != text.npos && !text.empty()) {
    return Unreadable{mark, "byte order mark inside the file",
                      "only the very start of a file may have one; take it out"};
  }
  return std::nullopt;
}

}  // namespace graft::manifest
