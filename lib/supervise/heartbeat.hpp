// Heartbeat: the signs of life that the event loop leaves, and the rule that says from them whether it hangs.
//
// A hang is ours alone: a Grafana that is down or slow never counts as one, since every request ends after its own time
// limit and so makes progress.
//
// Threads: the loop writes, the supervisor and the health endpoint read; all may be called from any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/clock.hpp"

namespace graft::supervise {

// The loop's own timer beats each second. So long without a beat, and the thread is blocked: in a system call, a lock
// or an endless computation. The longest computation known (planning thousands of resources) takes seconds.
constexpr std::chrono::seconds beat_limit{30};

// The loop turns, yet a coroutine waits for something that never comes. A request ends after 30 s and is repeated after
// pauses of at most 30 s, so 10 minutes without one sent, answered or given up cannot happen to a cycle that is well.
constexpr std::chrono::minutes progress_limit{10};

struct Signs {
  SteadyTime beat, progress;  // the last ones
  bool working = false;
};

struct State {
  bool alive = true;
  std::string reason;  // why it hangs; empty when alive
};

// Pure: the rule itself.
[[nodiscard]] State judge(const Signs& signs, SteadyTime now);

class Heartbeat {
 public:
  explicit Heartbeat(Clock& clock);  // begins alive; `clock` outlives it

  void beat();                 // each second, by a timer of the loop's own io_context
  void progress();             // a request was sent or answered, an action ended
  void working(bool is_busy);  // a cycle or a reload has begun, or ended

  [[nodiscard]] State state(SteadyTime now) const;

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  Signs signs_;
};

}  // namespace graft::supervise
