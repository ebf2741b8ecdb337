// LogContext: what every line is about while it is in force. The loop sets it; lines of other threads have it, too.
#pragma once

#include <atomic>
#include <cstdint>

namespace graft::daemon {

class LogContext {
 public:
  void begin_cycle(std::int64_t id) { cycle_ = id; }  // > 0
  void end_cycle() { cycle_ = 0; }
  [[nodiscard]] std::int64_t cycle() const { return cycle_; }  // 0: none

 private:
  std::atomic<std::int64_t> cycle_{0};
};

// For as long as it lives.
class CycleContext {
 public:
  CycleContext(LogContext& context, std::int64_t id) : context_(context) { context_.begin_cycle(id); }
  CycleContext(const CycleContext&) = delete;
  CycleContext& operator=(const CycleContext&) = delete;
  ~CycleContext() { context_.end_cycle(); }

 private:
  LogContext& context_;
};

}  // namespace graft::daemon
