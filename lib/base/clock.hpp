// Time and chance come in through these two, so that no test sleeps and every run can be repeated.
//
// Wall time is for what outlives the process (records, ages against the server's clock); steady time drives timers.
// system_clock::now() and steady_clock::now() are called in clock.cpp only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace graft {

using WallTime = std::chrono::sys_seconds;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual double unit() = 0;  // uniform in [0, 1)
};

[[nodiscard]] Clock& system_clock();    // one for the process; any thread
[[nodiscard]] Random& system_random();  // not for secrets; one thread at a time

// For tests: stands still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::seconds{1'800'000'000}}) : wall_(start) {}
  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] SteadyTime steady() const override { return steady_; }
  void advance(std::chrono::seconds by) {
    wall_ += by;
    steady_ += by;
  }
  void jump_wall(std::chrono::seconds by) { wall_ += by; }  // somebody set the clock

 private:
  WallTime wall_;
  SteadyTime steady_{};
};

// "2026-11-24T06:29:53Z" and the same with fractions or an offset (cut to seconds, in UTC); nullopt for anything else.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);
[[nodiscard]] std::string format_rfc3339(WallTime time);
// The Date header of HTTP, "Tue, 24 Nov 2026 06:29:53 GMT"; nullopt for anything else.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace graft
