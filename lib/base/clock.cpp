#include "base/clock.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <random>

namespace graft {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SystemClock final : public Clock {
 public:
  WallTime wall() const override { return std::chrono::floor<seconds>(std::chrono::system_clock::now()); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

class SystemRandom final : public Random {
 public:
  double unit() override { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }

 private:
  std::mt19937_64 engine_{std::random_device{}()};
};

// Reads exactly `width` digits at `offset`.
std::optional<int> digits(std::string_view text, std::size_t offset, std::size_t width) {
  if (offset + width > text.size()) return std::nullopt;
  int value = 0;
  const char* first = text.data() + offset;
  const auto [end, error] = std::from_chars(first, first + width, value);
  if (error != std::errc{} || end != first + width || value < 0) return std::nullopt;
  return value;
}

std::optional<WallTime> make_time(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

// "Z", "+hh:mm" or "-hh:mm"; what is to be taken off to have UTC.
std::optional<seconds> parse_offset(std::string_view zone) {
  if (zone == "Z" || zone == "z") return seconds{0};
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hour = digits(zone, 1, 2);
  const auto minute = digits(zone, 4, 2);
  if (!hour || !minute) return std::nullopt;
  const seconds offset = hours(*hour) + minutes(*minute);
  return zone[0] == '+' ? offset : -offset;
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::size_t zone_at = 19;
  if (text[zone_at] == '.') zone_at = text.find_first_not_of("0123456789", zone_at + 1);
  if (zone_at == std::string_view::npos) return std::nullopt;
  const auto offset = parse_offset(text.substr(zone_at));
  const auto time = make_time(*year, *month, *day, *hour, *minute, *second);
  if (!offset || !time) return std::nullopt;
  return *time - *offset;
}

std::string format_rfc3339(WallTime time) {
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{time - midnight};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") return std::nullopt;
  const auto day = digits(text, 5, 2);
  const auto year = digits(text, 12, 4);
  const auto hour = digits(text, 17, 2);
  const auto minute = digits(text, 20, 2);
  const auto second = digits(text, 23, 2);
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (text.substr(8, 3) == months[i]) return make_time(*year, static_cast<int>(i) + 1, *day, *hour, *minute, *second);
  }
  return std::nullopt;
}

}  // namespace graft
