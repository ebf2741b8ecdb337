// When the next cycle begins. Pure.
#pragma once

#include <chrono>

#include "grafana/credential.hpp"
#include "reconcile/report.hpp"

namespace graft::daemon {

inline constexpr double interval_jitter = 0.1;
inline constexpr std::chrono::seconds first_retry{2};  // after a cycle that could not reach Grafana
inline constexpr std::chrono::seconds longest_retry{30};

struct Pace {
  std::chrono::seconds interval;
  int failures = 0;   // cycles in a row that were stopped
  double unit = 0.5;  // random, in [0, 1)
};

// The interval with ±10 %; sooner when something waits for a time (wake_at) or may be retried; 2 s doubled up to 30 s
// after a cycle that was stopped (and up to 10 % longer), since Grafana is down then and one probe each 30 s does not
// burden it.
[[nodiscard]] std::chrono::milliseconds pause_after(const reconcile::Report& report, const Pace& pace);

}  // namespace graft::daemon
