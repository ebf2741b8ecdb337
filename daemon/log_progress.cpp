#include "daemon/log_progress.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/text.hpp"

namespace graft::daemon {

namespace {

constexpr std::chrono::milliseconds shortest_pause{200};
constexpr std::size_t bar_width = 20, word_limit = 40;

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string bar(const Progress& progress) {
  const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(bar_width));
  return fmt::format("[{}{}] ", std::string(full, '#'), std::string(bar_width - full, '-'));
}

std::string counts(const Progress& progress) {
  return grouped(progress.done) + (progress.total > 0 ? "/" + grouped(progress.total) : "");
}

std::string speed(double per_second) {
  return per_second < 10 ? fmt::format(", {:.1f}/s", per_second) : fmt::format(", {:.0f}/s", per_second);
}

std::string time_left(std::chrono::seconds left) {
  const long long seconds = std::max<long long>(left.count(), 0);
  if (seconds < 100) return fmt::format(", {} s left", seconds);
  if (seconds < 100 * 60) return fmt::format(", {} min left", (seconds + 30) / 60);
  return fmt::format(", {} h left", (seconds + 1800) / 3600);
}

}  // namespace

std::string render_progress(const Progress& progress, std::size_t width) {
  std::vector<std::string> parts{counts(progress)};
  if (!progress.what.empty()) parts.push_back(" " + printable(progress.what, word_limit));
  if (progress.per_second) parts.push_back(speed(*progress.per_second));
  if (progress.remaining) parts.push_back(time_left(*progress.remaining));
  const std::size_t room = width > 0 ? width - 1 : 0;
  std::string out = progress.total > 0 ? bar(progress) : "";
  if (out.size() + parts.front().size() > room) out.clear();
  for (const std::string& part : parts) {
    if (out.size() + part.size() > room) break;  // in UTF-8 nothing has more columns than bytes
    out += part;
  }
  return out;
}

std::string ProgressLine::erase() {
  if (!visible_) return {};
  visible_ = false;
  return "\r\x1b[2K";
}

std::string ProgressLine::draw(SteadyTime now, std::size_t width) {
  if (!progress_) return {};
  drawn_ = now;
  pending_ = false;
  visible_ = true;
  return render_progress(*progress_, width);
}

bool ProgressLine::wants_drawing(SteadyTime now) const {
  return pending_ && (!drawn_ || now - *drawn_ >= shortest_pause);
}

}  // namespace graft::daemon
