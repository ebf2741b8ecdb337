// What a receiver's answer means for an event, and when it is tried again. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/transport.hpp"

namespace graft::events {

enum class Answer : std::uint8_t {
  delivered,  // 2xx
  trouble,    // no answer, 5xx, 408, 425, 429: the receiver has trouble that passes. Nothing is sent to it meanwhile
  wrong,      // 3xx (never followed), 401, 403, 404, 405, 410: it is not, or not any more, where events are wanted. The
              // same, but slower: a person must mend it, and may within the day
  unwanted,   // other 4xx: it does not want this event. That one is tried again, slower, and the others go on
};

[[nodiscard]] Answer judge(const Result<http::Response>& reply);

struct Pace {
  std::chrono::seconds first{5};  // after the first attempt that brought trouble; doubles with each
  std::chrono::seconds first_slow{60};
  std::chrono::seconds longest{3600};
  std::chrono::seconds longest_asked{6 * 3600};  // by Retry-After, which else is obeyed
};

// `attempts` counts this one. `chance` in [0, 1) takes away up to a quarter, so that many do not come back at once;
// what Retry-After asks for is a floor. 410 waits for the longest at once.
[[nodiscard]] std::chrono::seconds wait_after(const Result<http::Response>& reply, int attempts, const Pace& pace,
                                              WallTime now, double chance);

// Seconds or a date; nullopt for anything else.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(std::string_view header, WallTime now);

}  // namespace graft::events
