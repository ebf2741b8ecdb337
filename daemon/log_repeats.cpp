#include "daemon/log_repeats.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t remembered_value = 300;
constexpr std::array<std::string_view, 5> volatile_fields{"attempt", "cycle", "ms", "requests", "wait_ms"};

bool is_volatile(std::string_view key) { return std::ranges::find(volatile_fields, key) != volatile_fields.end(); }

// A digest, so that a long error costs no more memory than a short one; lengths go in, so that no value can look like
// two.
std::string key_of(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  std::string all = fmt::format("{} {}:{}", static_cast<int>(level), message.size(), message);
  for (const auto& [key, value] : fields)
    if (!is_volatile(key)) all += fmt::format(" {}={}:{}", key, value.size(), value);
  return sha256_hex(all);
}

RepeatedLine remembered(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  RepeatedLine line;
  line.level = level;
  line.message = printable(message, remembered_value);
  for (const auto& [key, value] : fields)
    if (!is_volatile(key)) line.fields.emplace_back(key, printable(value, remembered_value));
  return line;
}

}  // namespace

void RepeatLimiter::restart(Entries::iterator entry, SteadyTime now) {
  entry->since = now;
  entry->line.times = 0;
  entries_.splice(entries_.end(), entries_, entry);
}

void RepeatLimiter::forget_oldest(std::vector<RepeatedLine>& out) {
  Entry& oldest = entries_.front();
  if (oldest.line.times > 0) out.push_back(std::move(oldest.line));
  by_key_.erase(oldest.key);
  entries_.pop_front();
}

RepeatLimiter::Admission RepeatLimiter::admit(LogLevel level, std::string_view message,
                                              const std::vector<LogField>& fields, SteadyTime now) {
  Admission admission;
  if (level < LogLevel::warning) return admission;
  std::string key = key_of(level, message, fields);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const auto entry = found->second;
    ++entry->line.times;
    admission.write = now - entry->since >= repeat_window;
    admission.times = entry->line.times;
    if (admission.write) restart(entry, now);
    return admission;
  }
  if (entries_.size() >= remembered_lines) forget_oldest(admission.displaced);
  entries_.push_back({key, now, remembered(level, message, fields)});
  by_key_.emplace(std::move(key), std::prev(entries_.end()));
  return admission;
}

std::vector<RepeatedLine> RepeatLimiter::due(SteadyTime now) {
  std::vector<RepeatedLine> out;
  while (!entries_.empty() && now - entries_.front().since >= repeat_window) {
    const auto oldest = entries_.begin();
    if (oldest->line.times == 0) {
      forget_oldest(out);
    } else {
      out.push_back(oldest->line);
      restart(oldest, now);  // it goes on: the next line of it comes in a minute
    }
  }
  return out;
}

std::vector<RepeatedLine> RepeatLimiter::drain() {
  std::vector<RepeatedLine> out;
  while (!entries_.empty()) forget_oldest(out);
  return out;
}

}  // namespace graft::daemon
