#include "kinds/refresh.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace graft::kinds {

namespace {

struct Unit {
  std::string_view letters;
  std::int64_t milliseconds;
};
// "ms" before "m" and "s": the longer spelling is tried first. Days, weeks, months and years as Grafana counts them.
constexpr std::array<Unit, 8> units{{{"ms", 1},
                                     {"s", 1'000},
                                     {"m", 60'000},
                                     {"h", 3'600'000},
                                     {"d", 86'400'000},
                                     {"w", 604'800'000},
                                     {"M", 2'592'000'000},
                                     {"y", 31'536'000'000}}};

}  // namespace

std::optional<std::chrono::milliseconds> parse_interval(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* found = nullptr;
    for (const Unit& unit : units)
      if (found == nullptr && text.starts_with(unit.letters)) found = &unit;
    if (found == nullptr) return std::nullopt;
    text.remove_prefix(found->letters.size());
    total += found->milliseconds * static_cast<std::int64_t>(count);
  }
  return std::chrono::milliseconds(total);
}

std::string raised_refresh(const std::string& refresh, const std::string& minimum) {
  const auto wanted = parse_interval(refresh);
  const auto smallest = parse_interval(minimum);
  return wanted && smallest && *wanted < *smallest ? minimum : refresh;
}

}  // namespace graft::kinds
