// Who wants to know what becomes of keys: counts, never contents. The daemon puts its metrics behind it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace graft::token {

enum class Answer : std::uint8_t {
  ok,        // Grafana took the key, and it is of the right account
  invalid,   // refused
  mismatch,  // it works, but belongs to another account or organization
  unclear,   // no answer, or one that says nothing of the key
};

// Called on the thread of the io_context. `sink` is Sink::describe(). Outlives the Issuer and its coroutines.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void key_delivered(std::string_view sink) = 0;
  virtual void key_not_delivered(std::string_view sink, ErrorCode why) = 0;  // or could not be, so none was asked for
  virtual void key_verified(Answer answer) = 0;
  virtual void orphan_removed() = 0;  // a token whose key nobody holds
};

}  // namespace graft::token
