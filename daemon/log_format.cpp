#include "daemon/log_format.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "daemon/json_text.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t value_limit = 2'000;
// journald splits what is longer than 48 KiB, and the second half would be a line of its own.
constexpr std::size_t line_limit = 16'000;

std::string logfmt_value(std::string_view value) {
  const std::string safe = printable(value, value_limit);
  const bool plain = !safe.empty() && safe.find_first_of(" \"=\\") == std::string::npos;
  if (plain) return safe;
  std::string out = "\"";
  for (const char c : safe) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Adds the fields to the line, each by `add`, for as long as there is room.
template <class Add>
void add_fields(std::string& out, const LogLine& line, const Add& add) {
  std::size_t left_out = line.fields.size();
  for (const auto& [key, value] : line.fields) {
    if (out.size() > line_limit) break;
    out += add(key, value);
    --left_out;
  }
  if (left_out > 0) out += add("left_out", std::to_string(left_out));
}

std::string logfmt_field(std::string_view key, std::string_view value) {
  return fmt::format(" {}={}", key, logfmt_value(value));
}

std::string json_field(std::string_view key, std::string_view value) {
  return fmt::format(",{}:{}", json_string(key), json_string(printable(value, value_limit)));
}

struct TerminalLevel {
  std::string_view word, colour;
};

TerminalLevel terminal_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return {"debug", "\x1b[2m"};  // dim
    case LogLevel::info:
      return {"info ", "\x1b[32m"};  // green
    case LogLevel::warning:
      return {"warn ", "\x1b[33m"};  // yellow
    case LogLevel::error:
      return {"error", "\x1b[1;31m"};  // bold red
  }
  return {"info ", ""};
}

std::string clock_time(WallTime time) {
  const std::chrono::hh_mm_ss clock{time - std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:02}:{:02}:{:02}", clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

std::string format_logfmt(const LogLine& line) {
  std::string out = line.time ? fmt::format("ts={} ", format_rfc3339(*line.time)) : "";
  out += fmt::format("level={} msg={}", level_word(line.level), logfmt_value(line.message));
  add_fields(out, line, logfmt_field);
  return out;
}

std::string format_json(const LogLine& line) {
  std::string out = line.time ? fmt::format(R"({{"ts":"{}",)", format_rfc3339(*line.time)) : "{";
  out += fmt::format(R"("level":"{}","msg":{})", level_word(line.level),
                     json_string(printable(line.message, value_limit)));
  add_fields(out, line, json_field);
  return out + "}";
}

std::string format_terminal(const LogLine& line, bool colour, std::chrono::seconds utc_offset) {
  const std::string_view dim = colour ? "\x1b[2m" : "", off = colour ? "\x1b[0m" : "";
  const TerminalLevel level = terminal_level(line.level);
  std::string out;
  if (line.time) out = fmt::format("{}{}{} ", dim, clock_time(*line.time + utc_offset), off);
  out += fmt::format("{}{}{} {}", colour ? level.colour : "", level.word, off, printable(line.message, value_limit));
  if (line.fields.empty()) return out;
  out += dim;
  add_fields(out, line, logfmt_field);
  return out.append(off);
}

std::string_view journal_prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warning:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "<6>";
}

}  // namespace graft::daemon
