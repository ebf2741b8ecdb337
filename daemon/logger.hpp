// The daemon's log: one line an event on standard error, logfmt or JSON, times in UTC. Control characters of values are
// escaped, so that no value can forge a line.
#pragma once

#include <memory>
#include <string>

#include "base/log.hpp"

namespace graft::daemon {

// `level` and `format` as in the settings.
[[nodiscard]] std::unique_ptr<Log> make_logger(const std::string& level, const std::string& format);

}  // namespace graft::daemon
