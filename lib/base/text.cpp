#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdint>
#include <numeric>
#include <wctype.h>

namespace graft {

namespace {

struct Decoded {
  std::uint32_t code_point = 0;
  std::size_t length = 0;  // 0: not well-formed
};

Decoded decode_utf8(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(offset);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || offset + length > text.size()) return {};
  std::uint32_t code_point = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(offset + i) & 0xc0U) != 0x80U) return {};
    code_point = (code_point << 6U) | (byte(offset + i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < smallest[length] || code_point > 0x10ffff || surrogate) return {};
  return {code_point, length};
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0U | (code_point >> 6U));
    put(0x80U | (code_point & 0x3fU));
  } else if (code_point < 0x10000) {
    put(0xe0U | (code_point >> 12U));
    put(0x80U | ((code_point >> 6U) & 0x3fU));
    put(0x80U | (code_point & 0x3fU));
  } else {
    put(0xf0U | (code_point >> 18U));
    put(0x80U | ((code_point >> 12U) & 0x3fU));
    put(0x80U | ((code_point >> 6U) & 0x3fU));
    put(0x80U | (code_point & 0x3fU));
  }
}

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// The second set of control characters and the two line ends of Unicode: a terminal or a log may act on them.
bool invisible(const Decoded& decoded) {
  const std::uint32_t c = decoded.code_point;
  return decoded.length > 1 && ((c >= 0x80 && c <= 0x9f) || c == 0x2028 || c == 0x2029);
}

// A locale of our own: the process's locale stays "C", and nobody else's setlocale can change the answer.
// Null where the system has no locales, as in a container without them.
locale_t unicode_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

// Letters beyond ASCII only where the system knows them.
std::uint32_t lower(std::uint32_t code_point) {
  const locale_t locale = unicode_locale();
  if (locale != nullptr) return static_cast<std::uint32_t>(towlower_l(static_cast<wint_t>(code_point), locale));
  return code_point >= 'A' && code_point <= 'Z' ? code_point + ('a' - 'A') : code_point;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::optional<std::size_t> invalid_utf8(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    const Decoded decoded = decode_utf8(text, offset);
    if (decoded.length == 0) return offset;
    offset += decoded.length;
  }
  return std::nullopt;
}

bool has_control_characters(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    if (control(text[offset])) return true;
    const Decoded decoded = decode_utf8(text, offset);
    if (invisible(decoded)) return true;
    offset += std::max<std::size_t>(decoded.length, 1);
  }
  return false;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t offset = 0; offset < text.size();) {
    if (out.size() >= limit) return out + "...";
    const Decoded decoded = decode_utf8(text, offset);
    if (decoded.length == 0 || control(text[offset]) || invisible(decoded)) {
      const bool blank = text[offset] == '\n' || text[offset] == '\r' || text[offset] == '\t';
      out.push_back(blank ? ' ' : '?');
      offset += std::max<std::size_t>(decoded.length, 1);
      continue;
    }
    out.append(text.substr(offset, decoded.length));
    offset += decoded.length;
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string to_lower(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t offset = 0; offset < utf8.size();) {
    const Decoded decoded = decode_utf8(utf8, offset);
    if (decoded.length == 0) {
      out.push_back(utf8[offset++]);
      continue;
    }
    append_utf8(out, lower(decoded.code_point));
    offset += decoded.length;
  }
  return out;
}

bool equal_ignoring_ascii_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

std::optional<std::string_view> did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t distance = equal_ignoring_ascii_case(word, candidate) ? 0 : edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out += {'%', hex[byte >> 4U], hex[byte & 0xfU]};
    }
  }
  return out;
}

}  // namespace graft
