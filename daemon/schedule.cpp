#include "daemon/schedule.hpp"

#include <algorithm>

namespace graft::daemon {

namespace {

using std::chrono::milliseconds;

milliseconds jittered(milliseconds duration, double unit) {
  const double factor = 1.0 - interval_jitter + 2.0 * interval_jitter * unit;
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(duration.count()) * factor));
}

bool may_be_retried(const reconcile::Report& report) {
  return std::ranges::any_of(report.results, [](const reconcile::ActionResult& result) {
    return result.outcome == reconcile::Outcome::failed && result.error.retryable;
  });
}

// Never shorter than it says: one probe each 30 s at most.
milliseconds retry_pause(int failures, double unit) {
  const int doublings = std::clamp(failures - 1, 0, 10);
  const milliseconds pause = std::min<milliseconds>(longest_retry, first_retry * (1 << doublings));
  return jittered(pause, 0.5 + unit / 2);
}

}  // namespace

milliseconds pause_after(const reconcile::Report& report, const Pace& pace) {
  if (report.stopped) return retry_pause(pace.failures, pace.unit);
  milliseconds pause = jittered(pace.interval, pace.unit);
  if (may_be_retried(report)) pause = std::min(pause, jittered(longest_retry, pace.unit));
  if (report.wake_at && report.server_time) {
    const milliseconds until = *report.wake_at - *report.server_time + std::chrono::seconds(1);
    pause = std::min(pause, std::max<milliseconds>(until, std::chrono::seconds(1)));
  }
  return pause;
}

}  // namespace graft::daemon
