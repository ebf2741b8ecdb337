// Requests that `graftd tokens` left in the state store, as the loop of the daemon sees them: whether there are new
// ones, and what becomes of those that no token answers to. (The others are answered by token/issuer.hpp.)
#pragma once

#include <cstdint>

#include "base/log.hpp"
#include "reconcile/report.hpp"
#include "state/store.hpp"

namespace graft::daemon {

class RequestDesk {
 public:
  // Whether one was left since the last begin_cycle(). A store that cannot be read has none.
  [[nodiscard]] bool waiting(state::Store& store) const;
  void begin_cycle(state::Store& store);
  // Refuses those, of before the cycle, whose token is not declared, or that have been waiting for ten minutes: who
  // asked has gone, and should not be surprised later. `now` by the local clock, as Request::asked_at.
  void end_cycle(state::Store& store, const reconcile::Report& report, WallTime now, Log& log);

 private:
  std::int64_t seen_ = 0;  // the newest of before this cycle
};

}  // namespace graft::daemon
