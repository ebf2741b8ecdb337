// Log: where events go. A constant message and key=value fields (so that lines can be counted and searched), never a
// secret. The daemon's implementation writes to stderr; libraries take a Log& and never know.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string>;

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) = 0;

  void debug(std::string_view message, const std::vector<LogField>& fields = {}) {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, const std::vector<LogField>& fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, const std::vector<LogField>& fields = {}) {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, const std::vector<LogField>& fields = {}) {
    write(LogLevel::error, message, fields);
  }
};

// Drops everything; for tests and offline commands.
[[nodiscard]] Log& null_log();

}  // namespace graft
