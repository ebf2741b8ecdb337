#include "daemon/log_target.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graft::daemon {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_journal(int descriptor, const std::string& journal_stream) {
  struct stat status{};
  return !journal_stream.empty() && ::fstat(descriptor, &status) == 0 &&
         journal_stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

LogEnvironment log_environment() {
  return {variable("JOURNAL_STREAM"), variable("TERM"), !variable("NO_COLOR").empty()};
}

LogTarget log_target(int descriptor, const LogEnvironment& environment) {
  if (is_journal(descriptor, environment.journal_stream)) return {LogTarget::Kind::journal, false};
  const bool able = !environment.term.empty() && environment.term != "dumb";
  if (able && ::isatty(descriptor) == 1) return {LogTarget::Kind::terminal, !environment.no_color};
  return {};
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace graft::daemon
