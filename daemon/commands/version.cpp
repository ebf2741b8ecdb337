#include "daemon/version.hpp"

#include <cstdio>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"

namespace graft::daemon {

int version_command() {
  std::fputs(version_text().c_str(), stdout);
  return exit_ok;
}

}  // namespace graft::daemon
