// Small questions about text: is it sound UTF-8, what may be shown to a person, which known word was meant.
// Pure; no locale is read or changed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

// The offset of the first byte that is not part of well-formed UTF-8 (no overlong forms, no surrogates), if any.
[[nodiscard]] std::optional<std::size_t> invalid_utf8(std::string_view text);

// True for 0x00-0x1f, 0x7f, U+0080-U+009F, U+2028 and U+2029: never allowed in a name that reaches a path, a header or
// a file name (reliability T37).
[[nodiscard]] bool has_control_characters(std::string_view text);

// The text made safe to print on one line: control characters and broken UTF-8 become '?', at most `limit` bytes and
// then "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

[[nodiscard]] std::string_view trim(std::string_view text);  // blanks, tabs and line ends at both ends

// Lower case of each code point by the simple mapping, as Go's strings.ToLower gives it for the letters that both know.
[[nodiscard]] std::string to_lower(std::string_view utf8);

[[nodiscard]] bool equal_ignoring_ascii_case(std::string_view a, std::string_view b);

// The known word nearest to `word` by edit distance, if one is near enough to be a slip of the hand.
[[nodiscard]] std::optional<std::string_view> did_you_mean(std::string_view word,
                                                           std::span<const std::string_view> known);

// `"text"` with quotes and backslashes escaped, for messages.
[[nodiscard]] std::string quote(std::string_view text);

// Percent-encodes everything but unreserved characters, so that the text is one path segment or one query value.
[[nodiscard]] std::string url_encode(std::string_view text);

}  // namespace graft
