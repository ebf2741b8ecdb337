#include "daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "base/text.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

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

void add_flag(CLI::App& app, const Flag& flag, Options& options) {
  const std::string names =
      flag.letter == 0 ? fmt::format("--{}", flag.name) : fmt::format("-{},--{}", flag.letter, flag.name);
  if (flag.type == Argument::none) {
    app.add_flag_callback(names, [&options, &flag] { flag.set(options, ""); });
    return;
  }
  CLI::Option* option = app.add_option_function<std::string>(
      names, [&options, &flag](const std::string& argument) { flag.set(options, argument); });
  if (flag.type == Argument::word)
    option->check(CLI::IsMember(std::vector<std::string>(flag.words.begin(), flag.words.end())));
}

void add_flags(CLI::App& app, std::string_view command, Options& options) {
  app.set_help_flag();  // ours prints the texts of help_text()
  for (const Flag& flag : flag_table())
    if (has_flag(command, flag)) add_flag(app, flag, options);
  for (const Flag& flag : flag_table())
    if (has_flag(command, flag) && !flag.excludes.empty())
      app.get_option(fmt::format("--{}", flag.name))->excludes(app.get_option(fmt::format("--{}", flag.excludes)));
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

// "tokens list" is the subcommand list of the subcommand tokens, which is made by the first of them.
CLI::App* add_subcommand(CLI::App& app, std::string_view name, const std::string& purpose, Options& options) {
  const std::size_t space = name.find(' ');
  if (space == name.npos) return app.add_subcommand(std::string(name), purpose);
  const std::string group(name.substr(0, space));
  const auto made = app.get_subcommands([&](const CLI::App* one) { return one->get_name() == group; });
  CLI::App* parent = made.empty() ? app.add_subcommand(group) : made.front();
  if (made.empty()) {
    add_flags(*parent, group, options);
    parent->require_subcommand(0, 1);
    parent->callback([&options, group] {
      if (options.command.empty()) options.command = group;
    });
  }
  return parent->add_subcommand(std::string(name.substr(space + 1)), purpose);
}

void add_commands(CLI::App& app, Options& options) {
  for (const Command& row : command_table()) {
    CLI::App* command = add_subcommand(app, row.name, std::string(row.purpose), options);
    add_flags(*command, row.name, options);
    if (row.settings) add_settings(*command, options);
    if (row.operands != nullptr) command->add_option(std::string(row.operand), options.*row.operands);
    command->callback([&options, &row] { options.command = row.name; });
  }
}

Status is_complete(const Options& options) {
  if (options.help) return {};
  if (options.command.empty())
    return fail(Error(ErrorCode::invalid,
                      "a command is needed: run, plan, apply, check, status, history, tokens, reload, sync or version")
                    .with_hint("try graftd --help"));
  const std::vector<std::string_view> groups = command_groups();
  if (std::ranges::find(groups, options.command) != groups.end())
    return fail(Error(ErrorCode::invalid, fmt::format("graftd {} needs one of its commands", options.command))
                    .with_hint(fmt::format("try graftd {} --help", options.command)));
  if (options.command == "tokens rotate" && options.slots.empty())
    return fail(
        Error(ErrorCode::invalid, "graftd tokens rotate needs to be told which token")
            .with_hint("name it as ORGANIZATION/ACCOUNT/TOKEN; try graftd tokens list, or graftd tokens --help"));
  return {};
}

}  // namespace

Result<Options> parse_command_line(int argc, const char* const* argv) {
  if (const auto name = secret_on_command_line(argc, argv))
    return fail(
        Error(ErrorCode::invalid, fmt::format("{} is refused: a secret is never given on the command line", *name))
            .with_hint("put it into a file and name that by --grafana-auth-password-file or "
                       "--grafana-auth-token-file"));
  Options options;
  CLI::App app("graftd");
  add_flags(app, "", options);
  app.require_subcommand(0, 1);
  add_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail(Error(ErrorCode::invalid, printable(error.what())).with_hint("try graftd --help"));
  }
  if (options.version) options.command = "version";
  if (Status complete = is_complete(options); !complete) return fail(std::move(complete.error()));
  return options;
}

}  // namespace graft::daemon
