#include "daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>

#include "base/text.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t help_width = 80;

constexpr std::array<CommandRow, 12> commands{{
    {"run", "", "the daemon: keeps Grafana as declared until it is stopped",
     "Compares at every interval and when the manifests change. SIGHUP reads configuration and manifests again; "
     "SIGTERM "
     "and SIGINT end it cleanly, a second one at once."},
    {"plan", "[-o json] [--detailed-exitcode]", "prints what would change, and why; changes nothing",
     "Reads Grafana, the manifests, the token files and the state; of the state it writes nothing but a refused login, "
     "so that "
     "plans in a row cannot lock the user out of Grafana."},
    {"apply", "[-o json]", "one cycle: makes Grafana as declared, and ends",
     "Exit code 1 tells that a resource failed or was skipped; the rest was done."},
    {"check", "PATH...", "checks manifests offline; no Grafana, no credentials",
     "For CI and pre-commit. PATH is a directory of manifests, or one of them; without it, the manifests.directory of "
     "the "
     "configuration. Every problem is printed with file, line and column."},
    {"tokens list", "[-o json]", "the tokens looked after: age, expiry, next rotation",
     "Never a key. Reads the state directory alone, and asks neither Grafana nor the sinks."},
    {"tokens rotate", "[-o json] ORGANIZATION/ACCOUNT/TOKEN...", "replaces keys now, not only when they are due",
     "A running graftd is told and does it at once; without one it is done here. The old key lives through its grace."},
    {"tokens verify", "[-o json] [ORGANIZATION/ACCOUNT/TOKEN...]", "asks Grafana whether the delivered keys are alive",
     "All tokens when none is named. A running graftd is told and does it at once; without one it is done here."},
    {"status", "[-o json] [--watch | --probe]", "how everything stands, asked of the running graftd",
     "Asks over the Unix socket (http.socket). --watch shows it anew at every change; --probe prints nothing and exits "
     "0 when graftd is alive, for health checks without a shell."},
    {"history", "[-o json] [--kind K] [--organization O] [--name N] [--limit N]", "what was changed, when, and why",
     "Newest first, with cycle and revision of the manifests. Of the running graftd; without one, of the state "
     "directory."},
    {"reload", "[--wait DURATION]", "tells the running graftd to read everything anew",
     "Configuration, CA, credentials and manifests, all or nothing; then a cycle. With --wait it ends when that is "
     "done, "
     "and tells what was wrong."},
    {"sync", "[--wait DURATION]", "tells the running graftd to begin a cycle now",
     "With --wait it ends when the cycle has ended; exit code 1 when that left something undone."},
    {"version", "", "prints version, compiler and libraries", ""},
}};

// Settings take their value as the next argument or after '='; their names come from the table.
void add_settings(CLI::App& app, Options& options) {
  for (const Setting& setting : setting_table()) {
    const std::string key(setting.key);
    if (key == "config") {
      app.add_option_function<std::string>(flag_of(key),
                                           [&options](const std::string& file) { options.config = file; });
      continue;
    }
    app.add_option_function<std::string>(flag_of(key),
                                         [&options, key](const std::string& text) { options.settings[key] = text; });
  }
}

void add_output(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& form) { options.output = form == "json" ? Output::json : Output::text; })
      ->check(CLI::IsMember({"text", "json"}));
}

// Secrets are given by files only: as a flag anybody on the machine could read them.
std::optional<std::string> secret_on_command_line(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    for (const std::string_view name : {"--password", "--token", "--grafana-auth-password", "--grafana-auth-token"})
      if (argument == name || argument.starts_with(std::string(name) + "=")) return std::string(name);
  }
  return std::nullopt;
}

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = help_width;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (column + 1 + word.size() > help_width) {
      out += (out.empty() ? "" : "\n") + std::string(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    at = end + 1;
  }
  return out + "\n";
}

std::string settings_help() {
  std::string out = "Settings (flag > environment > configuration file > default):\n";
  for (const Setting& setting : setting_table()) {
    out += fmt::format("  {} <{}>\n", flag_of(setting.key), setting.form);
    out += wrapped(setting.description, 6);
    std::string origin = fmt::format("${}", environment_of(setting.key));
    if (!setting.default_value.empty()) origin += fmt::format(", default {}", setting.default_value);
    out += wrapped(origin, 6);
  }
  return out;
}

std::string exit_codes_help() {
  std::string out = "Exit codes:\n";
  for (const ExitCodeRow& row : exit_code_table) {
    std::string text = wrapped(row.meaning, 8);
    out += fmt::format("  {:>3}   {}", row.code, text.substr(8));
  }
  return out;
}

bool has_output(std::string_view command) {
  return command != "run" && command != "version" && command != "reload" && command != "sync";
}

bool can_wait(std::string_view command) { return command == "reload" || command == "sync"; }

std::string command_options_help(std::string_view command) {
  std::string out = "Options:\n  -h, --help             this text\n";
  if (has_output(command)) out += "  -o, --output text|json the form of what is printed\n";
  if (command == "plan") out += "  --detailed-exitcode    exit code 2 when there is something to change or held\n";
  if (command == "status")
    out +=
        "  --watch                shown anew at every change, until it is interrupted\n"
        "  --probe                exit code 0 when graftd is alive, else 1\n";
  if (can_wait(command)) out += "  --wait DURATION        wait so long for the outcome, at most 5m\n";
  if (command == "history")
    out +=
        "  --kind KIND            only of this kind\n"
        "  --organization NAME    only in this organization\n"
        "  --name NAME            only of this name\n"
        "  --limit NUMBER         how many, from 1 to 1000 (100)\n";
  return out;
}

std::string overall_help() {
  std::string out =
      "graftd keeps a live Grafana equal to YAML manifests kept in git.\n\nUsage: graftd COMMAND "
      "[OPTIONS]\n\nCommands:\n";
  for (const CommandRow& row : commands) out += fmt::format("  {:<13} {}\n", row.name, row.purpose);
  out +=
      "\nExamples:\n"
      "  graftd check manifests/\n"
      "  graftd plan --config graftd.yaml\n"
      "  graftd run --config /etc/graftd/graftd.yaml\n\n"
      "graftd COMMAND --help tells more of a command.\n\n";
  return out + exit_codes_help();
}

// "tokens list" is the subcommand list of the subcommand tokens, which is made by the first of them.
CLI::App* add_subcommand(CLI::App& app, std::string_view name, const std::string& purpose, Options& options) {
  const std::size_t space = name.find(' ');
  if (space == name.npos) return app.add_subcommand(std::string(name), purpose);
  const std::string group(name.substr(0, space));
  const auto made = app.get_subcommands([&](const CLI::App* one) { return one->get_name() == group; });
  CLI::App* parent = made.empty() ? app.add_subcommand(group) : made.front();
  if (made.empty()) {
    parent->set_help_flag();
    parent->add_flag("-h,--help", options.help);
    parent->require_subcommand(0, 1);
    parent->callback([&options, group] {
      if (options.command.empty()) options.command = group;
    });
  }
  return parent->add_subcommand(std::string(name.substr(space + 1)), purpose);
}

void add_commands(CLI::App& app, Options& options) {
  for (const CommandRow& row : commands) {
    CLI::App* command = add_subcommand(app, row.name, std::string(row.purpose), options);
    command->set_help_flag();
    command->add_flag("-h,--help", options.help);
    add_settings(*command, options);
    if (has_output(row.name)) add_output(*command, options);
    if (row.name == "plan") command->add_flag("--detailed-exitcode", options.detailed_exitcode);
    if (row.name == "status") {
      CLI::Option* watch = command->add_flag("--watch", options.watch);
      command->add_flag("--probe", options.probe)->excludes(watch);
    }
    if (can_wait(row.name)) command->add_option("--wait", options.wait);
    if (row.name == "history")
      for (const char* name : {"kind", "organization", "name", "limit"})
        command->add_option_function<std::string>(
            std::string("--") + name, [&options, name](const std::string& text) { options.filters[name] = text; });
    if (row.name == "check") command->add_option("PATH", options.paths);
    if (row.name == "tokens rotate" || row.name == "tokens verify") command->add_option("SLOT", options.slots);
    command->callback([&options, name = std::string(row.name)] { options.command = name; });
  }
}

std::string group_help(std::string_view group) {
  std::string out = fmt::format("Usage: graftd {} COMMAND [OPTIONS]\n\nCommands:\n", group);
  bool known = false;
  for (const CommandRow& row : commands) {
    if (!row.name.starts_with(std::string(group) + " ")) continue;
    out += fmt::format("  {:<13} {}\n", row.name, row.purpose);
    known = true;
  }
  return known ? out : std::string();
}

}  // namespace

std::span<const CommandRow> command_table() { return commands; }

std::string help_text(std::string_view command) {
  const auto row = std::ranges::find(commands, command, &CommandRow::name);
  if (row == commands.end() && !command.empty()) return group_help(command) + "\n" + exit_codes_help();
  if (row == commands.end()) return overall_help();
  std::string out = fmt::format("graftd {}: {}.\n\nUsage: graftd {} {}{}[OPTIONS]\n\n", row->name, row->purpose,
                                row->name, row->arguments, row->arguments.empty() ? "" : " ");
  if (!row->details.empty()) out += wrapped(row->details, 0) + "\n";
  out += command_options_help(command) + "\n";
  if (command != "version") out += settings_help() + "\n";
  return out + exit_codes_help();
}

Result<Options> parse_command_line(int argc, const char* const* argv) {
  if (const auto name = secret_on_command_line(argc, argv))
    return fail(
        Error(ErrorCode::invalid, fmt::format("{} is refused: a secret is never given on the command line", *name))
            .with_hint("put it into a file and name that by --grafana-auth-password-file or "
                       "--grafana-auth-token-file"));
  Options options;
  bool version = false;
  CLI::App app("graftd");
  app.set_help_flag();
  app.add_flag("-h,--help", options.help);
  app.add_flag("--version", version);
  app.require_subcommand(0, 1);
  add_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail(Error(ErrorCode::invalid, printable(error.what())).with_hint("try graftd --help"));
  }
  if (version) options.command = "version";
  if (options.command.empty() && !options.help)
    return fail(Error(ErrorCode::invalid,
                      "a command is needed: run, plan, apply, check, status, history, tokens, reload, sync or version")
                    .with_hint("try graftd --help"));
  if (!options.help && !group_help(options.command).empty())
    return fail(Error(ErrorCode::invalid, fmt::format("graftd {} needs one of its commands", options.command))
                    .with_hint(fmt::format("try graftd {} --help", options.command)));
  if (!options.help && options.command == "tokens rotate" && options.slots.empty())
    return fail(
        Error(ErrorCode::invalid, "graftd tokens rotate needs to be told which token")
            .with_hint("name it as ORGANIZATION/ACCOUNT/TOKEN; try graftd tokens list, or graftd tokens --help"));
  return options;
}

}  // namespace graft::daemon
