// What graftd's exit codes mean: the one table, from which `--help` and docs/exit-codes.md come (sysexits where they
// fit).
#pragma once

#include <array>
#include <string_view>

namespace graft::daemon {

enum ExitCode : int {
  exit_ok = 0,
  exit_not_converged = 1,
  exit_changes = 2,
  exit_usage = 64,
  exit_bad_manifests = 65,
  exit_unavailable = 69,
  exit_bug = 70,
  exit_cannot_create = 73,
  exit_try_later = 75,
  exit_refused = 77,
  exit_bad_config = 78,
};

struct ExitCodeRow {
  int code;
  std::string_view meaning;
};

inline constexpr std::array<ExitCodeRow, 13> exit_code_table{{
    {exit_ok, "done; with `plan --detailed-exitcode`: nothing to do"},
    {exit_not_converged, "the cycle ended, and a resource of it failed, was refused or was skipped"},
    {exit_changes, "`plan --detailed-exitcode`: there is something to change, or something is held"},
    {exit_usage, "the command line is wrong"},
    {exit_bad_manifests, "the manifests have errors; nothing was changed"},
    {exit_unavailable, "Grafana cannot be reached, or does not answer as Grafana (`plan`, `apply`)"},
    {exit_bug, "a bug in graftd"},
    {exit_cannot_create, "a directory or file of graftd's own cannot be made or written"},
    {exit_try_later, "another graftd uses the state directory"},
    {exit_refused, "Grafana refused the login, or logins are stopped after a refused one (`plan`, `apply`)"},
    {exit_bad_config, "the configuration is wrong"},
    {130, "ended at once by a second SIGINT"},
    {143, "ended at once by a second SIGTERM"},
}};

}  // namespace graft::daemon
