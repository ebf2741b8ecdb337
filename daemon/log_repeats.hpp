// RepeatLimiter: keeps one trouble that comes again and again from filling the log. Of the warnings and errors that are
// alike, one line a minute is written: the first at once, then one that counts those since. Others pass as they are.
//
// Alike: the same level, message and fields, but for fields that say how long or how often (see volatile_fields).
// Pure: time comes in by the calls. Memory is bounded. Not safe for several threads at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace graft::daemon {

constexpr std::chrono::minutes repeat_window{1};
constexpr std::size_t remembered_lines = 1'000;  // some 1 MB; then the oldest is written and forgotten

// A line that was kept back, and how many times.
struct RepeatedLine {
  LogLevel level = LogLevel::warning;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;  // of the first of them; long values are cut
  std::size_t times = 0;
};

class RepeatLimiter {
 public:
  struct Admission {
    bool write = true;
    std::size_t times = 1;                // the line stands for so many
    std::vector<RepeatedLine> displaced;  // to be written before it
  };
  [[nodiscard]] Admission admit(LogLevel level, std::string_view message, const std::vector<LogField>& fields,
                                SteadyTime now);

  // Those kept back whose minute is over; to be asked for each second or so.
  [[nodiscard]] std::vector<RepeatedLine> due(SteadyTime now);
  // All of them, at the end.
  [[nodiscard]] std::vector<RepeatedLine> drain();

 private:
  struct Entry {
    std::string key;
    SteadyTime since;
    RepeatedLine line;
  };
  using Entries = std::list<Entry>;  // oldest first

  void restart(Entries::iterator entry, SteadyTime now);
  void forget_oldest(std::vector<RepeatedLine>& out);

  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

}  // namespace graft::daemon
