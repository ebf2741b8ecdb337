// What the loop is asked to do from outside: a cycle now, or a reload. Any number of askers before it begins are one:
// they share a ticket, and all see its answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace graft::daemon {

// Asked-for cycles begin at least so far apart: nobody can make graftd burden Grafana (reliability T43).
inline constexpr std::chrono::seconds trigger_spacing{5};

enum class Trigger : std::uint8_t { sync, reload };

struct TriggerAnswer {
  bool done = false;
  std::string text;                   // of a cycle: its document; of a failed reload: why
  std::vector<std::string> problems;  // of a failed reload, a line each
};

// Any thread.
class Triggers {
 public:
  explicit Triggers(Clock& clock) : clock_(clock) {}

  // Called after each ask(), on the asking thread.
  void on_ask(std::function<void()> wake);

  [[nodiscard]] std::uint64_t ask(Trigger what);  // a ticket
  [[nodiscard]] std::optional<TriggerAnswer> answer(Trigger what, std::uint64_t ticket) const;

  // Of the loop. How long to wait until what was asked for may begin; nullopt: nothing was.
  [[nodiscard]] std::optional<std::chrono::milliseconds> due_in() const;
  struct Taken {
    std::optional<std::uint64_t> sync, reload;  // tickets
  };
  [[nodiscard]] Taken take();  // what was asked for until now, if it is due
  void answered(Trigger what, std::uint64_t ticket, TriggerAnswer answer);

 private:
  struct Queue {
    std::uint64_t newest = 0;
    bool waiting = false;  // `newest` has not been taken
    std::map<std::uint64_t, TriggerAnswer> answers;
  };
  static constexpr std::size_t answers_kept = 16;
  [[nodiscard]] std::optional<std::chrono::milliseconds> due_in_locked() const;
  Queue& queue(Trigger what) { return what == Trigger::sync ? sync_ : reload_; }
  [[nodiscard]] const Queue& queue(Trigger what) const { return what == Trigger::sync ? sync_ : reload_; }

  Clock& clock_;
  mutable std::mutex mutex_;
  Queue sync_, reload_;
  std::optional<SteadyTime> last_taken_;
  std::function<void()> wake_;
};

}  // namespace graft::daemon
