#include "grafana/breaker.hpp"

#include <algorithm>

namespace graft::grafana {

std::optional<WallTime> login_blocked_until(const LoginRecord& record, WallTime now, double unit) {
  if (record.refusals.empty()) return std::nullopt;
  const WallTime newest = record.refusals.back();
  if (record.last_success && *record.last_success > newest) return std::nullopt;
  const auto recent = std::count_if(record.refusals.begin(), record.refusals.end(),
                                    [&](WallTime refusal) { return newest - refusal < grafana_lockout_window; });
  const auto jitter = std::chrono::seconds(static_cast<std::int64_t>(unit * static_cast<double>(retry_jitter.count())));
  const bool worked_before = record.last_success.has_value();
  const WallTime until =
      newest + (worked_before && recent == 1 ? retry_after_single_refusal : retry_after_refusals + jitter);
  // A clock that was set back must not block for ever: a refusal from the future counts as one of now.
  if (newest > now + grafana_lockout_window) return now + retry_after_refusals;
  if (now >= until) return std::nullopt;
  return until;
}

LoginRecord after_refusal(LoginRecord record, WallTime now) {
  std::erase_if(record.refusals, [&](WallTime refusal) { return now - refusal >= 4 * grafana_lockout_window; });
  record.refusals.push_back(now);
  std::sort(record.refusals.begin(), record.refusals.end());
  return record;
}

LoginRecord after_success(LoginRecord record, WallTime now) {
  // Grafana does not forget its count at a success (11.1 [run]); so neither do we: only old refusals go, and the next
  // one within the window is the second.
  std::erase_if(record.refusals, [&](WallTime refusal) { return now - refusal >= 4 * grafana_lockout_window; });
  record.last_success = now;
  return record;
}

}  // namespace graft::grafana
