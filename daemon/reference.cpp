#include "daemon/reference.hpp"

#include <fmt/format.h>

#include "daemon/exit_codes.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

std::string configuration_reference() {
  std::string out =
      "# Configuration\n\n"
      "One YAML file, `/etc/graftd/graftd.yaml` unless `--config` or `GRAFTD_CONFIG` names another. A dot in a key is "
      "a level:\n"
      "`grafana.url` is `url` under `grafana`. Every setting is a flag and an environment variable too; a flag is "
      "stronger than\n"
      "the environment, that than the file, and that than the default. `${NAME}` in a value of the file is the "
      "environment's; an\n"
      "unset one is an error. Unknown keys, flags and `GRAFTD_…` variables are errors (but `GRAFTD_SERVICE_…` and\n"
      "`GRAFTD_PORT…`, which Kubernetes sets beside a Service of that name). Durations are whole numbers with `w`, "
      "`d`, `h`, `m`\n"
      "and `s`: `30d`, `1h30m`.\n\n"
      "| key | flag and variable | value | default | what it does |\n|---|---|---|---|---|\n";
  for (const Setting& setting : setting_table()) {
    const std::string usual = setting.required                ? "required"
                              : setting.default_value.empty() ? "–"
                                                              : fmt::format("`{}`", setting.default_value);
    out += fmt::format("| `{}` | `{}`<br>`{}` | {} | {} | {} |\n", setting.key, flag_of(setting.key),
                       environment_of(setting.key), setting.form.name, usual, setting.description);
  }
  return out +
         "\nOne kind of credential is needed: `grafana.auth.username` with `grafana.auth.passwordFile`, or\n"
         "`grafana.auth.tokenFile`. Secrets are given by files only.\n";
}

std::string exit_code_reference() {
  std::string out = "# Exit codes\n\n| code | meaning |\n|---|---|\n";
  for (const ExitCodeRow& row : exit_code_table) out += fmt::format("| {} | {} |\n", row.code, row.meaning);
  return out;
}

}  // namespace graft::daemon
