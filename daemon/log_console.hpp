// ConsoleSink: spdlog's sink that shares a terminal between lines of the log and the live line of progress: that is
// taken away before a line is written and put back after it, in one write, so that the two never mix.
// For .cpp files only (it brings spdlog). Safe for any thread.
#pragma once

#include <mutex>
#include <spdlog/sinks/base_sink.h>

#include "base/clock.hpp"
#include "daemon/log_progress.hpp"

namespace graft::daemon {

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // `descriptor` and `clock` outlive it. `live`: it is a terminal, so progress is shown.
  ConsoleSink(int descriptor, bool live, Clock& clock) : descriptor_(descriptor), live_(live), clock_(clock) {}
  ConsoleSink(const ConsoleSink&) = delete;
  ConsoleSink& operator=(const ConsoleSink&) = delete;
  ~ConsoleSink() override { end_progress(); }

  void show(const Progress& progress);
  void end_progress();
  void refresh();  // shows what came too soon after the last drawing

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}
  void redraw();
  void put(std::string_view text) const;

  int descriptor_;
  bool live_;
  Clock& clock_;
  ProgressLine line_;
};

}  // namespace graft::daemon
