#include <csignal>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/logger.hpp"
#include "daemon/service.hpp"

namespace graft::daemon {

int run_command(const Options&, const ConfigSource& source) {
  (void)std::signal(SIGHUP, SIG_IGN);  // until the service listens to it: what it asks for is done by starting
  const std::optional<Settings> settings = settings_or_complain(source);
  if (!settings) return exit_bad_config;
  const std::unique_ptr<Logger> log = make_logger(settings->log_level, settings->log_format);
  return serve(*settings, source, system_clock(), system_random(), *log);
}

}  // namespace graft::daemon
