// What is remembered of one credential across restarts, so that a wrong password never locks a human out (T24).
// Kept by lib/state under the credential's salted fingerprint; decided upon by grafana/breaker.hpp.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace graft {

struct LoginRecord {
  std::optional<WallTime> last_success;
  std::vector<WallTime> refusals;  // ascending; old ones may be dropped
  bool operator==(const LoginRecord&) const = default;
};

}  // namespace graft
