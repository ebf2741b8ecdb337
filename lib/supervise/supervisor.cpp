#include "supervise/supervisor.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <signal.h>

namespace graft::supervise {

namespace {

constexpr std::chrono::milliseconds longest_interval{20'000};

// Signals are the loop's business; one that were handled here would be handled late when this thread waits.
void leave_signals_to_others() {
  sigset_t all;
  ::sigfillset(&all);
  (void)::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void run(const std::stop_token& stop, Supervisor& supervisor, std::chrono::milliseconds interval) {
  leave_signals_to_others();
  (void)::pthread_setname_np(::pthread_self(), "supervisor");
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    supervisor.look();
    (void)wake.wait_for(lock, stop, interval, [] { return false; });
  }
}

}  // namespace

std::chrono::milliseconds look_interval(std::optional<std::chrono::microseconds> watchdog) {
  if (!watchdog) return longest_interval;
  const auto third = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 3);
  return std::clamp(third, std::chrono::milliseconds(1), longest_interval);
}

Decision decide(bool was_alive, const State& now) {
  return {.feed = now.alive, .say_hung = was_alive && !now.alive, .say_resumed = !was_alive && now.alive};
}

Supervisor::Supervisor(const Heartbeat& heartbeat, const Notifier& notifier, Clock& clock, Log& log)
    : heartbeat_(heartbeat), notifier_(notifier), clock_(clock), log_(log) {}

void Supervisor::look() {
  const State state = heartbeat_.state(clock_.steady());
  const Decision decision = decide(was_alive_, state);
  was_alive_ = state.alive;
  if (decision.feed) notifier_.watchdog();
  if (decision.say_hung) log_.error("graftd hangs; the watchdog is not fed any more", {{"reason", state.reason}});
  if (decision.say_resumed) log_.warning("graftd goes on; the watchdog is fed again");
}

SupervisorThread::SupervisorThread(Supervisor& supervisor, std::chrono::milliseconds interval)
    : thread_([&supervisor, interval](const std::stop_token& stop) { run(stop, supervisor, interval); }) {}

}  // namespace graft::supervise
