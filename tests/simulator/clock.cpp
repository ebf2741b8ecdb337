#include "clock.hpp"

#include <array>
#include <ctime>

namespace graft::simulator {
namespace {

std::string formatted(Time time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &parts)};
}

std::string counted(std::int64_t count, const std::string& unit) {
  return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

}  // namespace

Clock::Clock(bool frozen) : frozen_(frozen), start_(std::chrono::system_clock::now()) {}

Time Clock::now() const { return (frozen_ ? start_ : std::chrono::system_clock::now()) + added_; }

void Clock::advance(std::chrono::seconds by) { added_ += by; }

std::string rfc3339(Time time) { return formatted(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::string http_date(Time time) { return formatted(time, "%a, %d %b %Y %H:%M:%S GMT"); }

std::int64_t microseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string age_text(std::chrono::seconds age) {
  const auto minutes = age.count() / 60;
  if (minutes < 1) return "< 1 minute";
  if (minutes < 60) return counted(minutes, "minute");
  const auto hours = minutes / 60;
  if (hours < 24) return counted(hours, "hour");
  const auto days = hours / 24;
  if (days < 30) return counted(days, "day");
  return days < 365 ? counted(days / 30, "month") : counted(days / 365, "year");
}

}  // namespace graft::simulator
