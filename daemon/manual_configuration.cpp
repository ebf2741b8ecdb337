// graftd.yaml(5).
#include <fmt/format.h>

#include "daemon/manual.hpp"
#include "daemon/manual_text.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

constexpr std::string_view example = R"(owner: prod-grafana
grafana:
  url: https://grafana.example.com
  auth:
    username: admin
    passwordFile: ${CREDENTIALS_DIRECTORY}/grafana-password
  tls:
    caFile: /etc/graftd/ca.pem
manifests:
  directory: /etc/graftd/manifests
interval: 60s
log:
  format: json
)";

std::string origin(const Setting& setting) {
  if (setting.required) return " , required";
  return setting.default_value.empty() ? std::string()
                                       : fmt::format(" , default Ql {}", mdoc::word(setting.default_value));
}

std::string settings() {
  std::string out = mdoc::section("SETTINGS") +
                    mdoc::prose(
                        "A dot in a key is a level: `grafana.url` is `url` under `grafana`. A flag is stronger "
                        "than the environment, that than the file, and that than the default.") +
                    ".Bl -tag -width Ds\n";
  for (const Setting& setting : setting_table()) {
    out += fmt::format(".It Ic {} Pq {}{}\n", mdoc::word(setting.key), mdoc::words(setting.form.name), origin(setting));
    out += mdoc::prose(setting.description);
    out += fmt::format("Flag\n.Fl {} ,\nvariable\n.Ev {} .\n", flag_of(setting.key).substr(1),
                       environment_of(setting.key));
  }
  return out + ".El\n";
}

std::string values() {
  return mdoc::section("VALUES") + ".Bl -tag -width Ds\n.It Em durations\n" +
         mdoc::prose("Whole numbers with `w`, `d`, `h`, `m` and `s`, the greater unit first: `30d`, `1h30m`, `90s`.") +
         ".It Em variables\n" +
         mdoc::prose(
             "`${NAME}` in a value is replaced by that environment variable. One that is not set is an error.") +
         ".It Em files\n" +
         mdoc::prose(
             "Of secrets the names of files are given, never the secrets. The daemon reads these files again "
             "when they change.") +
         ".It Em YAML\n" +
         mdoc::prose(
             "The file is one document of at most 1 MiB. Unknown and doubled keys are errors, as are merge keys "
             "and tags. `yes`, `no`, `on` and `off` are texts, not `true` and `false`.") +
         ".El\n";
}

std::string credentials() {
  return mdoc::section("CREDENTIALS") +
         mdoc::prose(
             "One kind of credential is needed. `grafana.auth.username` with `grafana.auth.passwordFile` is the "
             "login of a Grafana server admin, for any number of organizations. `grafana.auth.tokenFile` is the "
             "key of a service account with role Admin, for its own organization.") +
         ".Pp\n" +
         mdoc::prose(
             "With systemd, put the secret into `/etc/graftd/credentials/grafana-password`, readable by root "
             "alone: the service passes it on with `LoadCredential=`, and the configuration names it as "
             "`${CREDENTIALS_DIRECTORY}/grafana-password`. Such a credential is fixed for the life of the "
             "service; restart it when the password has changed.") +
         ".Pp\n" +
         mdoc::prose(
             "A login that Grafana has refused is not tried again before the file changes, since five refusals "
             "within five minutes would lock the user out for everybody.");
}

}  // namespace

std::string_view example_configuration() { return example; }

std::string manual_of_configuration() {
  const auto config = setting_table().back().default_value;
  return mdoc::head({"graftd.yaml", "5"}, "configuration of graftd") + mdoc::section("DESCRIPTION") + ".Nm\n" +
         mdoc::prose("is the configuration of") + ".Xr graftd 8 :\n" +
         mdoc::prose(
             "one YAML file. It is read when the daemon starts and at every reload; a reload with an error in it "
             "leaves everything as it is. Changes of `http` need a restart.") +
         settings() + values() + credentials() + mdoc::section("FILES") +
         fmt::format(".Bl -tag -width Ds\n.It Pa {}\nRead unless\n.Fl -config\nor\n.Ev GRAFTD_CONFIG\nnames another.\n",
                     config) +
         ".It Pa /usr/share/graftd/schema/graftd.schema.json\n" +
         mdoc::prose("The JSON Schema of the file, for editors. A first line tells them of it:") +
         mdoc::literal("# yaml-language-server: $schema=/usr/share/graftd/schema/graftd.schema.json") + ".El\n" +
         mdoc::section("EXAMPLES") + mdoc::literal(example) +
         mdoc::see_also({{"graftd-manifest", "5"}, {"graftd", "8"}});
}

}  // namespace graft::daemon
