#include "daemon/log_console.hpp"

#include <cerrno>
#include <string>
#include <unistd.h>

#include "daemon/log_target.hpp"

namespace graft::daemon {

void ConsoleSink::show(const Progress& progress) {
  if (!live_) return;
  const std::lock_guard lock(mutex_);
  line_.set(progress);
  redraw();
}

void ConsoleSink::end_progress() {
  const std::lock_guard lock(mutex_);
  line_.end();
  put(line_.erase());
}

void ConsoleSink::refresh() {
  const std::lock_guard lock(mutex_);
  redraw();
}

void ConsoleSink::redraw() {
  const SteadyTime now = clock_.steady();
  if (!line_.wants_drawing(now)) return;
  std::string text = line_.erase();
  text += line_.draw(now, terminal_width(descriptor_));
  put(text);
}

void ConsoleSink::sink_it_(const spdlog::details::log_msg& message) {
  std::string text = line_.erase();
  text.append(message.payload.data(), message.payload.size());
  text += '\n';
  if (live_) text += line_.draw(clock_.steady(), terminal_width(descriptor_));
  put(text);
}

// A log that cannot be written has nobody to tell.
void ConsoleSink::put(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace graft::daemon
