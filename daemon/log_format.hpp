// The forms of a log line. Pure: values in, one line without its line end out. No value, whatever it holds, can forge a
// line or reach a terminal as a command: control characters and broken UTF-8 are replaced, quotes are escaped, and what
// is very long is cut.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace graft::daemon {

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string_view message;
  const std::vector<LogField>& fields;
  std::optional<WallTime> time = {};  // nullopt: the receiver notes the time itself
};

[[nodiscard]] std::string_view level_word(LogLevel level);  // "warning"

// ts=2026-11-24T06:29:53Z level=info msg="cycle done" revision=a1b2c3
[[nodiscard]] std::string format_logfmt(const LogLine& line);

// {"ts":"2026-11-24T06:29:53Z","level":"info","msg":"cycle done","revision":"a1b2c3"}
[[nodiscard]] std::string format_json(const LogLine& line);

// 07:29:53 warn  what happened key=value: for people, in the time of their place, which is `utc_offset` from UTC.
[[nodiscard]] std::string format_terminal(const LogLine& line, bool colour, std::chrono::seconds utc_offset);

// "<4>" and the like, as journald reads it at the beginning of a line (sd-daemon(3)).
[[nodiscard]] std::string_view journal_prefix(LogLevel level);

}  // namespace graft::daemon
