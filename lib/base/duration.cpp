#include "base/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>

#include "base/text.hpp"

namespace graft {

namespace {

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<Unit, 5> units{{{'w', 604'800}, {'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
constexpr std::int64_t longest = std::int64_t{1000} * 366 * 86'400;  // a thousand years: beyond any meaning

Error malformed(std::string_view text) {
  return Error(ErrorCode::invalid, fmt::format("{} is not a duration", quote(text)))
      .with_hint("write whole numbers with w, d, h, m or s, such as 30d, 1h30m or 90s");
}

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::size_t next_unit = 0;
  std::int64_t total = 0;
  if (at == end) return fail(malformed(text));
  while (at != end) {
    std::uint32_t count = 0;
    const auto [stop, error] = std::from_chars(at, end, count);
    if (error != std::errc{} || stop == end) return fail(malformed(text));
    while (next_unit < units.size() && units[next_unit].letter != *stop) ++next_unit;
    if (next_unit == units.size()) return fail(malformed(text));
    total += units[next_unit].seconds * static_cast<std::int64_t>(count);
    if (total > longest) return fail(malformed(text));
    ++next_unit;
    at = stop + 1;
  }
  return std::chrono::seconds{total};
}

std::string format_duration(std::chrono::seconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  rest = rest < 0 ? -rest : rest;
  for (const Unit& unit : units) {
    if (unit.letter == 'w') continue;  // people say 30d, not 4w2d
    if (const std::int64_t count = rest / unit.seconds; count > 0) out += fmt::format("{}{}", count, unit.letter);
    rest %= unit.seconds;
  }
  return out;
}

}  // namespace graft
