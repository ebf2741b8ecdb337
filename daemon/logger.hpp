// The daemon's log: one line an event on standard error. logfmt or JSON with times in UTC; the journal gets a priority
// and no time, since it has its own; a person at a terminal gets a form to read, and progress. Control characters of
// values are replaced, so that no value can forge a line.
//
// A warning or error that comes again within a minute is counted and said once, with repeated=N (log_repeats.hpp).
//
// Threads: everything may be called from any thread; a line is written whole. A reader that does not read blocks the
// caller, as with any log on standard error.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "daemon/log_context.hpp"
#include "daemon/log_progress.hpp"
#include "daemon/log_target.hpp"

namespace graft::daemon {

class Logger : public Log {
 public:
  // As in the settings; in force from the next line on.
  virtual void set_level(const std::string& level) = 0;
  virtual void set_format(const std::string& format) = 0;

  // cycle=<id> is added to every line while one is in force, unless the line has a cycle of its own.
  [[nodiscard]] virtual LogContext& context() = 0;

  // Called for each event that the level lets through, also for one that is only counted. Must not log, and must not
  // throw; called by the thread that logs, one at a time. An empty one: nobody is told any more.
  virtual void on_line(std::function<void(LogLevel)> told) = 0;

  // One live line on a terminal; nothing elsewhere. What comes too soon after the last drawing is shown by tick().
  virtual void show(const Progress& progress) = 0;
  virtual void end_progress() = 0;  // before others write to the same terminal

  // To be called each second: repeats whose minute is over are written, progress that waits is shown.
  virtual void tick() = 0;
};

struct LoggerOptions {
  std::string level = "info", format = "logfmt";
  int descriptor = 2;  // outlives the logger
  LogTarget target = {};
};

// `level` and `format` as in the settings. Writes to standard error, in the form that is right for who reads it.
[[nodiscard]] std::unique_ptr<Logger> make_logger(const std::string& level, const std::string& format);
// `clock` outlives it.
[[nodiscard]] std::unique_ptr<Logger> make_logger(const LoggerOptions& options, Clock& clock);

}  // namespace graft::daemon
