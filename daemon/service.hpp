// `graftd run`: the loop of cycles, and everything that belongs to a service beside it: the endpoint, the service
// manager and its watchdog, reloads, the signals that end it.
//
// A cycle begins at every interval, and at once when the manifests or the credential change, when SIGHUP comes, or when
// the endpoint is asked to. First SIGTERM or SIGINT: nothing new is begun, what is in flight has a quarter of a minute,
// a key being handed over is handed over. Second one: the process ends at once, with 143 or 130.
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "daemon/app.hpp"
#include "daemon/config.hpp"
#include "daemon/logger.hpp"

namespace graft::daemon {

struct ServeOptions {
  std::chrono::milliseconds poll_interval{1'000};  // so that a change is seen within 2 s
  std::chrono::milliseconds beat_interval{1'000};  // of the heartbeat
};

// Returns the exit code. `source` is read again at a reload; when anything of it has errors, nothing changes.
[[nodiscard]] int serve(const Settings& settings, const ConfigSource& source, Clock& clock, Random& random, Logger& log,
                        const ServeOptions& options = {});

}  // namespace graft::daemon
