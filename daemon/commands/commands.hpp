// The commands of graftd, a file each. Each returns an exit code (exit_codes.hpp), prints its answer to standard output
// and everything else to standard error.
#pragma once

#include "daemon/config.hpp"
#include "daemon/options.hpp"
#include "state/store.hpp"

namespace graft::daemon {

int run_command(const Options& options, const ConfigSource& source);
int plan_command(const Options& options, const ConfigSource& source);
int apply_command(const Options& options, const ConfigSource& source);
int check_command(const Options& options, const ConfigSource& source);
int tokens_list_command(const Options& options, const ConfigSource& source);
int tokens_request_command(const Options& options, const ConfigSource& source, state::Request::Kind kind);
int status_command(const Options& options, const ConfigSource& source);
int history_command(const Options& options, const ConfigSource& source);
int trigger_command(const Options& options, const ConfigSource& source);  // reload and sync
int version_command();

// What run, plan and apply begin with: the settings, or exit code 78 with everything that is wrong with them on
// standard error.
[[nodiscard]] std::optional<Settings> settings_or_complain(const ConfigSource& source);

// What the commands begin with that look at a running graftd or at its state: where those are. A configuration with
// errors (one that was just edited, say) is told of, and does not keep them from looking; one that cannot be read does.
[[nodiscard]] std::optional<Settings> settings_to_look(const ConfigSource& source);

void print_diagnostics(const Diagnostics& diagnostics);  // to standard error, a line each

}  // namespace graft::daemon
