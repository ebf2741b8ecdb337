#include "daemon/logger.hpp"

#include <chrono>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "daemon/json_text.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t value_limit = 2'000;

std::string_view word(LogLevel level) {
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

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

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

class Logger final : public Log {
 public:
  Logger(const std::string& level, bool json)
      : logger_("graftd", std::make_shared<spdlog::sinks::stderr_sink_mt>()), json_(json) {
    logger_.set_pattern("%v");
    logger_.set_level(level == "debug"     ? spdlog::level::debug
                      : level == "warning" ? spdlog::level::warn
                      : level == "error"   ? spdlog::level::err
                                           : spdlog::level::info);
  }

  void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
    if (!logger_.should_log(spdlog_level(level))) return;
    logger_.log(spdlog_level(level), "{}",
                json_ ? json_line(level, message, fields) : logfmt_line(level, message, fields));
    logger_.flush();
  }

 private:
  static std::string logfmt_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
    std::string line =
        fmt::format("ts={} level={} msg={}", format_rfc3339(system_clock().wall()), word(level), logfmt_value(message));
    for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, logfmt_value(value));
    return line;
  }

  static std::string json_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
    std::string line = fmt::format(R"({{"ts":"{}","level":"{}","msg":{})", format_rfc3339(system_clock().wall()),
                                   word(level), json_string(message));
    for (const auto& [key, value] : fields)
      line += fmt::format(",{}:{}", json_string(key), json_string(printable(value, value_limit)));
    return line + "}";
  }

  spdlog::logger logger_;
  bool json_;
};

}  // namespace

std::unique_ptr<Log> make_logger(const std::string& level, const std::string& format) {
  return std::make_unique<Logger>(level, format == "json");
}

}  // namespace graft::daemon
