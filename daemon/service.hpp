// The loop of `graftd run`: a cycle at every interval, and at once when the manifests or the credential change or
// SIGHUP comes; the signals that end it.
//
// First SIGTERM or SIGINT: nothing new is begun, what is in flight has a quarter of a minute, a key being handed over
// is handed over. Second one: the process ends at once, with 143 or 130.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "daemon/app.hpp"
#include "daemon/config.hpp"

namespace graft::daemon {

// Returns the exit code. `source` is read again on SIGHUP; a configuration with errors changes nothing.
[[nodiscard]] int serve(Settings settings, const ConfigSource& source, Clock& clock, Random& random, Log& log);

}  // namespace graft::daemon
