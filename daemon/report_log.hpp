// A cycle's report, and diagnostics, as log lines; and errors as exit codes.
#pragma once

#include <string_view>

#include "base/diagnostics.hpp"
#include "base/log.hpp"
#include "reconcile/report.hpp"

namespace graft::daemon {

// `message` says of what they are: "manifest problem", "configuration problem".
void log_diagnostics(const Diagnostics& diagnostics, std::string_view message, Log& log);
void log_report(const reconcile::Report& report, Log& log);

// Logs why graftd cannot start, and returns the exit code for it.
[[nodiscard]] int report_start_failure(const Error& error, Log& log);

// Of a cycle that was stopped (`plan`, `apply`).
[[nodiscard]] int exit_code_of(const Error& stopped);

}  // namespace graft::daemon
