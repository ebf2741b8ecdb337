#include "daemon/logger.hpp"

#include <algorithm>
#include <ctime>
#include <mutex>
#include <spdlog/logger.h>
#include <unistd.h>

#include "daemon/log_console.hpp"
#include "daemon/log_format.hpp"
#include "daemon/log_repeats.hpp"

namespace graft::daemon {

namespace {

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

LogLevel level_of(const std::string& word) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::warning, LogLevel::error})
    if (word == level_word(level)) return level;
  return LogLevel::info;
}

std::chrono::seconds local_offset(WallTime time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local{};
  return std::chrono::seconds(::localtime_r(&seconds, &local) == nullptr ? 0 : local.tm_gmtoff);
}

class StandardLogger final : public Logger {
 public:
  StandardLogger(const LoggerOptions& options, Clock& clock)
      : clock_(clock),
        target_(options.target),
        console_(std::make_shared<ConsoleSink>(options.descriptor, target_.kind == LogTarget::Kind::terminal, clock)),
        logger_("graftd", console_),
        json_(options.format == "json") {
    logger_.set_level(spdlog_level(level_of(options.level)));
  }
  StandardLogger(const StandardLogger&) = delete;
  StandardLogger& operator=(const StandardLogger&) = delete;
  ~StandardLogger() override {
    const std::lock_guard lock(mutex_);
    put(repeats_.drain());
  }

  void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
    if (!logger_.should_log(spdlog_level(level))) return;
    const std::lock_guard lock(mutex_);
    if (told_) told_(level);
    const SteadyTime now = clock_.steady();
    const RepeatLimiter::Admission admission = repeats_.admit(level, message, fields, now);
    put(admission.displaced);
    put(repeats_.due(now));
    if (admission.write) put(level, message, fields, admission.times);
  }

  void set_level(const std::string& level) override { logger_.set_level(spdlog_level(level_of(level))); }
  void set_format(const std::string& format) override {
    const std::lock_guard lock(mutex_);
    json_ = format == "json";
  }
  LogContext& context() override { return context_; }
  void on_line(std::function<void(LogLevel)> told) override {
    const std::lock_guard lock(mutex_);
    told_ = std::move(told);
  }

  void show(const Progress& progress) override { console_->show(progress); }
  void end_progress() override { console_->end_progress(); }

  void tick() override {
    {
      const std::lock_guard lock(mutex_);
      put(repeats_.due(clock_.steady()));
    }
    console_->refresh();
  }

 private:
  void put(const std::vector<RepeatedLine>& lines) {
    for (const RepeatedLine& line : lines)
      put(line.level, line.message, {line.fields.begin(), line.fields.end()}, line.times);
  }

  void put(LogLevel level, std::string_view message, std::vector<LogField> fields, std::size_t times) {
    if (times > 1) fields.emplace_back("repeated", std::to_string(times));
    const auto has_cycle = [](const LogField& field) { return field.first == "cycle"; };
    const std::int64_t cycle = context_.cycle();
    if (cycle != 0 && std::ranges::none_of(fields, has_cycle)) fields.emplace_back("cycle", std::to_string(cycle));
    logger_.log(spdlog::source_loc{}, spdlog_level(level), formatted(level, message, fields));
  }

  [[nodiscard]] std::string formatted(LogLevel level, std::string_view message,
                                      const std::vector<LogField>& fields) const {
    LogLine line{level, message, fields, clock_.wall()};
    if (target_.kind == LogTarget::Kind::journal) {
      line.time.reset();
      return std::string(journal_prefix(level)) + (json_ ? format_json(line) : format_logfmt(line));
    }
    if (json_) return format_json(line);
    if (target_.kind == LogTarget::Kind::lines) return format_logfmt(line);
    return format_terminal(line, target_.colour, local_offset(clock_.wall()));
  }

  Clock& clock_;
  const LogTarget target_;
  std::shared_ptr<ConsoleSink> console_;
  spdlog::logger logger_;
  LogContext context_;
  std::mutex mutex_;
  RepeatLimiter repeats_;
  std::function<void(LogLevel)> told_;
  bool json_;
};

}  // namespace

std::unique_ptr<Logger> make_logger(const LoggerOptions& options, Clock& clock) {
  return std::make_unique<StandardLogger>(options, clock);
}

std::unique_ptr<Logger> make_logger(const std::string& level, const std::string& format) {
  return make_logger({level, format, STDERR_FILENO, log_target(STDERR_FILENO, log_environment())}, system_clock());
}

}  // namespace graft::daemon
