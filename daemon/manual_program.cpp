// graftd(8).
#include <algorithm>
#include <fmt/format.h>

#include "daemon/exit_codes.hpp"
#include "daemon/manual.hpp"
#include "daemon/manual_text.hpp"
#include "daemon/options.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

// "Fl o Cm text | json", "Fl -wait Ar DURATION".
std::string flag_macro(const Flag& flag, bool short_form) {
  std::string out =
      short_form && flag.letter != 0 ? fmt::format("Fl {}", flag.letter) : fmt::format("Fl -{}", flag.name);
  if (flag.type == Argument::word) {
    out += " Cm";
    for (std::size_t i = 0; i < flag.words.size(); ++i)
      out += fmt::format("{} {}", i == 0 ? "" : " |", mdoc::word(flag.words[i]));
  } else if (!flag.argument.empty()) {
    out += fmt::format(" Ar {}", mdoc::word(flag.argument));
  }
  return out;
}

std::string operand_macro(const Command& command) {
  return fmt::format(".{}Ar {} ...\n", command.operand_needed ? "" : "Op ", mdoc::word(command.operand));
}

std::string synopsis() {
  std::string out = mdoc::section("SYNOPSIS");
  for (const Command& command : command_table()) {
    out += fmt::format(".Nm\n.Cm {}\n", mdoc::words(command.name));
    std::string_view excluded;
    for (const Flag& flag : flag_table()) {
      if (flag.commands.empty() || !has_flag(command.name, flag) || flag.name == excluded) continue;
      excluded = flag.excludes;
      out +=
          fmt::format(".Op {}{}\n", flag_macro(flag, true), excluded.empty() ? "" : fmt::format(" | Fl -{}", excluded));
    }
    if (command.settings) out += ".Op Ar settings\n";
    if (!command.operand.empty()) out += operand_macro(command);
  }
  return out + ".Nm\n.Op Ar command\n.Fl -help\n.Nm\n.Fl -version\n";
}

std::string description() {
  return mdoc::section("DESCRIPTION") + ".Nm\n" +
         mdoc::prose(
             "keeps a live Grafana equal to YAML manifests: organizations, their members, service accounts, "
             "service account tokens, folders and dashboards. It reads the manifests, compares them with what "
             "Grafana has, changes what differs in the order in which things need each other, and does so "
             "again at every interval. What somebody changed by hand is mended; what is not declared is left "
             "alone. The key of a token is put into a file, a Kubernetes Secret or HashiCorp Vault, and "
             "replaced in time.") +
         ".Pp\nManifests are described in\n.Xr graftd-manifest 5 ,\nthe configuration in\n.Xr graftd.yaml 5 .\n";
}

std::string sentence(std::string_view text) {
  std::string out(text);
  out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  return out + ".";
}

std::string options_of(std::string_view command) {
  std::string rows;
  for (const Flag& flag : flag_table()) {
    if (flag.commands.empty() || !has_flag(command, flag)) continue;
    const std::string letter = flag.letter == 0 ? "" : fmt::format("Fl {} , ", flag.letter);
    rows += fmt::format(".It {}{}\n", letter, flag_macro(flag, false)) + mdoc::prose(sentence(flag.help));
  }
  return rows.empty() ? rows : ".Bl -tag -width Ds\n" + rows + ".El\n";
}

std::string commands() {
  std::string out = mdoc::subsection("Commands") + ".Bl -tag -width Ds\n";
  for (const Command& command : command_table()) {
    std::string operand;
    if (!command.operand.empty())
      operand = fmt::format(" {}Ar {} ...", command.operand_needed ? "" : "Op ", mdoc::word(command.operand));
    out += fmt::format(".It Cm {}{}\n", mdoc::words(command.name), operand) + mdoc::prose(sentence(command.purpose)) +
           mdoc::prose(command.details) + options_of(command.name);
  }
  return out +
         ".El\n.Pp\nEvery command has\n.Fl h\nand\n.Fl -help ,\nwhich print its options, all settings and the exit "
         "codes.\n";
}

std::string_view first_sentence(std::string_view text) {
  const std::size_t end = text.find(". ");
  return end == text.npos ? text : text.substr(0, end + 1);
}

std::string settings() {
  std::string out =
      mdoc::subsection("Settings") +
      mdoc::prose(
          "Every setting of the configuration is a flag of all commands but `version`, and an environment "
          "variable. A flag is stronger than the environment, that than the file, and that than the default. "
          "A password or key is never given by a flag or a variable, only by a file.") +
      ".Xr graftd.yaml 5\ntells more of each.\n.Bl -tag -width Ds\n";
  for (const Setting& setting : setting_table()) {
    out += fmt::format(".It Fl {} Ar {}\n", flag_of(setting.key).substr(1), mdoc::word(setting.form.name));
    out += mdoc::prose(first_sentence(setting.description));
    out += fmt::format("Variable:\n.Ev {} .\n", environment_of(setting.key));
    if (!setting.default_value.empty()) out += fmt::format("Default:\n.Ql {} .\n", mdoc::word(setting.default_value));
  }
  return out + ".El\n";
}

std::string signals() {
  return mdoc::subsection("Signals") + ".Bl -tag -width Ds\n.It Dv SIGHUP\n" +
         mdoc::prose(
             "Reads configuration, CA, credentials and manifests, and begins a cycle. With an error in any of "
             "them everything stays as it is.") +
         ".It Dv SIGTERM , SIGINT\n" +
         mdoc::prose(
             "Begins nothing new, lets what is in flight end (a key being handed over has 19 s, everything "
             "else 15 s), and exits with 0. A second one ends it at once.") +
         ".El\n";
}

std::string environment() {
  const auto item = [](std::string_view name, std::string_view text) {
    return fmt::format(".It Ev {}\n", name) + mdoc::prose(text);
  };
  return mdoc::section("ENVIRONMENT") + ".Bl -tag -width Ds\n.It Ev GRAFTD_*\n" +
         mdoc::prose(
             "The settings. A variable of that prefix which is no setting is an error, but for "
             "`GRAFTD_SERVICE_*` and `GRAFTD_PORT*`, which Kubernetes sets beside a Service of that name.") +
         item("CREDENTIALS_DIRECTORY",
              "Where systemd puts the files of `LoadCredential=`. `${CREDENTIALS_DIRECTORY}` may be written in the "
              "configuration, as may any other variable.") +
         item("NOTIFY_SOCKET , WATCHDOG_USEC", "How the service manager is told of readiness, reloads and progress.") +
         item("JOURNAL_STREAM", "When standard error is the journal, log lines carry their priority.") +
         item("NO_COLOR", "Not empty: no colours on a terminal.") +
         item("KUBERNETES_SERVICE_HOST , KUBERNETES_SERVICE_PORT",
              "The cluster's own API, where `kubernetes.url` is not set.") +
         ".El\n";
}

std::string_view default_of(std::string_view key) {
  const auto found = std::ranges::find(setting_table(), key, &Setting::key);
  return found == setting_table().end() ? std::string_view() : found->default_value;
}

std::string files() {
  const auto item = [](std::string_view path, std::string_view text) {
    return fmt::format(".It Pa {}\n", mdoc::word(path)) + mdoc::prose(text);
  };
  return mdoc::section("FILES") + ".Bl -tag -width Ds\n" + item(default_of("config"), "The configuration.") +
         item("/etc/graftd/manifests/", "The manifests, where the configuration that is shipped looks for them.") +
         item("/etc/graftd/credentials/",
              "Passwords and keys, of root alone; the service gets them by `LoadCredential=`.") +
         item("/etc/default/graftd", "Variables of the service's environment.") +
         item(default_of("state.directory"), "What must survive a restart. Never holds a key or a password.") +
         item(default_of("tokens.directory"), "Where keys of tokens lie, mode 0600.") +
         item(default_of("http.socket"), "Where `graftd status` and the others reach the daemon.") +
         item("/usr/share/doc/graftd/", "Documentation and examples.") +
         item("/usr/share/graftd/", "JSON Schemas, alerting rules for Prometheus, a dashboard.") + ".El\n";
}

std::string exit_status() {
  std::string out = mdoc::section("EXIT STATUS") + ".Bl -tag -width Ds\n";
  for (const ExitCodeRow& row : exit_code_table)
    out += fmt::format(".It {}\n", row.code) + mdoc::prose(sentence(row.meaning));
  return out + ".El\n";
}

std::string examples() {
  const auto example = [](std::string_view text, std::string_view command) {
    return mdoc::prose(text) + ".Pp\n" + fmt::format(".Dl {}\n", mdoc::words(command));
  };
  return mdoc::section("EXAMPLES") +
         example("Check manifests in a CI job, without Grafana:", "graftd check manifests/") + ".Pp\n" +
         example("See what would change, and change it:", "graftd plan") + ".Dl graftd apply\n.Pp\n" +
         example("Run it for good, and look at it:", "systemctl enable --now graftd") + ".Dl graftd status\n.Pp\n" +
         example("Read a changed configuration, and learn whether it was taken:", "graftd reload --wait 30s") +
         ".Pp\n" + example("Replace the key of a token now:", "graftd tokens rotate apiorg/test/test-token");
}

}  // namespace

std::string manual_of_program() {
  return mdoc::head({"graftd", "8"}, "keeps a Grafana equal to YAML manifests") + synopsis() + description() +
         commands() + settings() + signals() + environment() + files() + exit_status() + examples() +
         mdoc::see_also({{"graftd-manifest", "5"}, {"graftd.yaml", "5"}, {"graftd-metrics", "7"}});
}

}  // namespace graft::daemon
