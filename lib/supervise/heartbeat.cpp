#include "supervise/heartbeat.hpp"

#include <fmt/format.h>

#include "base/duration.hpp"

namespace graft::supervise {

namespace {

std::string seconds_text(SteadyTime::duration duration) {
  return format_duration(std::chrono::duration_cast<std::chrono::seconds>(duration));
}

}  // namespace

State judge(const Signs& signs, SteadyTime now) {
  if (const auto silent = now - signs.beat; silent >= beat_limit)
    return {false, fmt::format("the event loop has not turned for {}: its thread is blocked", seconds_text(silent))};
  if (const auto idle = now - signs.progress; signs.working && idle >= progress_limit)
    return {false,
            fmt::format("work is under way, but no request or action has begun or ended for {}", seconds_text(idle))};
  return {};
}

Heartbeat::Heartbeat(Clock& clock) : clock_(clock), signs_{clock.steady(), clock.steady(), false} {}

void Heartbeat::beat() {
  const std::lock_guard lock(mutex_);
  signs_.beat = clock_.steady();
}

void Heartbeat::progress() {
  const std::lock_guard lock(mutex_);
  signs_.progress = clock_.steady();
}

void Heartbeat::working(bool is_busy) {
  const std::lock_guard lock(mutex_);
  signs_.working = is_busy;
  signs_.progress = clock_.steady();  // the time without work does not count
}

State Heartbeat::state(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return judge(signs_, now);
}

}  // namespace graft::supervise
