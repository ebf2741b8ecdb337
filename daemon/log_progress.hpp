// Progress on a terminal: one line that is drawn again and again, below the log.
//
//   [############--------] 1,200/2,000 organizations, 41/s, 20 s left
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace graft::daemon {

struct Progress {
  std::string what;  // "organizations"
  std::size_t done = 0, total = 0;
  std::optional<double> per_second = {};
  std::optional<std::chrono::seconds> remaining = {};
};

// Pure. ASCII, since a terminal may know nothing else, but for what `what` holds; never as wide as `width`, since a
// line that wraps cannot be erased. What does not fit is left out from the right.
[[nodiscard]] std::string render_progress(const Progress& progress, std::size_t width);

// What has to be sent to the terminal, and when: at most 5 times a second. Not safe for several threads at once.
class ProgressLine {
 public:
  void set(Progress progress) { progress_ = std::move(progress), pending_ = true; }
  void end() { progress_.reset(), pending_ = false; }

  // What removes the line from the screen; "" when it is not there.
  [[nodiscard]] std::string erase();
  // What puts it there; "" when there is none.
  [[nodiscard]] std::string draw(SteadyTime now, std::size_t width);
  // True when there is something new to show and the last drawing is old enough.
  [[nodiscard]] bool wants_drawing(SteadyTime now) const;

 private:
  std::optional<Progress> progress_;
  std::optional<SteadyTime> drawn_;
  bool pending_ = false, visible_ = false;
};

}  // namespace graft::daemon
