// Supervisor: feeds the manager's watchdog for as long as the heartbeat is that of a living loop; the manager ends a
// process that is not fed and starts it anew. It runs in a thread of its own, since a loop that hangs cannot say so.
//
// It logs once when it stops feeding and once when it begins again, and always after the manager was told: a log that
// blocks must not keep the watchdog fed, nor a healthy process from being fed.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "supervise/heartbeat.hpp"
#include "supervise/notifier.hpp"

namespace graft::supervise {

// A third of the watchdog's interval, so that one look that comes late does no harm; at most 20 s, also without a
// watchdog.
[[nodiscard]] std::chrono::milliseconds look_interval(std::optional<std::chrono::microseconds> watchdog);

struct Decision {
  bool feed = false;
  bool say_hung = false, say_resumed = false;
};

// Pure. `was_alive`: what the last look found.
[[nodiscard]] Decision decide(bool was_alive, const State& now);

class Supervisor {
 public:
  // All outlive it. `log` must be safe to use from this thread.
  Supervisor(const Heartbeat& heartbeat, const Notifier& notifier, Clock& clock, Log& log);

  void look();  // one look at the heartbeat, and what follows from it; one thread at a time

 private:
  const Heartbeat& heartbeat_;
  const Notifier& notifier_;
  Clock& clock_;
  Log& log_;
  bool was_alive_ = true;
};

// Looks at once, and then each `interval`, in its own thread until it is destroyed.
class SupervisorThread {
 public:
  SupervisorThread(Supervisor& supervisor, std::chrono::milliseconds interval);

 private:
  std::jthread thread_;
};

}  // namespace graft::supervise
