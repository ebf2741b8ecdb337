// Who wants to know of every request to Grafana: counts and times, never contents. The daemon puts its metrics behind
// it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace graft::grafana {

// Called on the thread of the io_context. Texts are literals. Outlives the Api and its coroutines.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  // A request is sent now; its turn has come and it may log in.
  virtual void began() = 0;
  // Once for each began(). `route` is a template of route.hpp; `status` is 0 when no answer was had (no connection, a
  // time-out, cancelled).
  virtual void ended(std::string_view method, std::string_view route, int status,
                     std::chrono::steady_clock::duration took) = 0;
  // It will be sent once more, after a pause: "rate_limited", "unavailable", "timeout" or "no_answer".
  virtual void retried(std::string_view reason) = 0;
  // So many writes may be in flight at once from now on.
  virtual void write_limit(std::size_t limit) = 0;
};

}  // namespace graft::grafana
