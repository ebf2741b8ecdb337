// The simulator's time: the real clock plus what tests added, or standing still but for them. And how times are
// written.
#pragma once

#include <chrono>
#include <string>

namespace graft::simulator {

using Time = std::chrono::system_clock::time_point;

class Clock {
 public:
  explicit Clock(bool frozen);
  Time now() const;
  void advance(std::chrono::seconds by);

 private:
  bool frozen_;
  Time start_;
  std::chrono::seconds added_{0};
};

std::string rfc3339(Time time);    // 2026-11-24T06:29:43Z
std::string http_date(Time time);  // Tue, 24 Nov 2026 06:29:43 GMT
std::int64_t microseconds(Time time);
std::string age_text(std::chrono::seconds age);  // "< 1 minute", "3 minutes", "10 years"

}  // namespace graft::simulator
