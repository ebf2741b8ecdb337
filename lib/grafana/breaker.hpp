// The login breaker: decides whether a login with a password may be tried. Pure.
//
// Grafana 12.4 blocks a user name for everybody, the human admin included, after five refused logins within five
// minutes (grafana-api.md 11.1 [run]); a locked database looks like a wrong password (1.3 [run]). Hence, of one
// credential (T24):
//   - one refusal stops all logins with it;
//   - if it has worked before, one more try is allowed 60 s after a single refusal;
//   - otherwise the next try is allowed 6 minutes (and jitter) after the newest refusal, when Grafana has forgotten it;
//   - a changed user name or password is another credential, with a clean record.
// So there are never more than two tries in five minutes, whatever restarts, and five are needed for a lock.
#pragma once

#include <chrono>
#include <optional>

#include "model/login_record.hpp"

namespace graft::grafana {

inline constexpr std::chrono::seconds retry_after_single_refusal{60};
inline constexpr std::chrono::seconds retry_after_refusals{360};
inline constexpr std::chrono::seconds retry_jitter{60};
inline constexpr std::chrono::seconds grafana_lockout_window{300};

// nullopt: a login may be tried now. Otherwise the time from which on it may. `unit` is a random number in [0, 1).
[[nodiscard]] std::optional<WallTime> login_blocked_until(const LoginRecord& record, WallTime now, double unit);

[[nodiscard]] LoginRecord after_refusal(LoginRecord record, WallTime now);
[[nodiscard]] LoginRecord after_success(LoginRecord record, WallTime now);

}  // namespace graft::grafana
