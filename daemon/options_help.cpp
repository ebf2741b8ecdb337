// The texts of `--help`.
#include <algorithm>
#include <fmt/format.h>

#include "daemon/exit_codes.hpp"
#include "daemon/options.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t help_width = 80;

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
    out += fmt::format("  {} <{}>\n", flag_of(setting.key), setting.form.name);
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

std::string options_help(std::string_view command) {
  std::string out = "Options:\n";
  for (const Flag& flag : flag_table()) {
    if (!has_flag(command, flag)) continue;
    std::string left = flag.letter == 0 ? "" : fmt::format("-{}, ", flag.letter);
    left += fmt::format("--{}", flag.name);
    if (!flag.argument.empty()) left += fmt::format(" {}", flag.argument);
    out += fmt::format("  {:<22} {}\n", left, flag.help);
  }
  return out;
}

std::string command_lines(std::string_view prefix) {
  std::string out = "Commands:\n";
  for (const Command& command : command_table())
    if (command.name.starts_with(prefix)) out += fmt::format("  {:<13} {}\n", command.name, command.purpose);
  return out;
}

std::string overall_help() {
  return "graftd keeps a live Grafana equal to YAML manifests kept in git.\n\n"
         "Usage: graftd COMMAND [OPTIONS]\n\n" +
         command_lines("") + "\n" + options_help("") +
         "\nExamples:\n"
         "  graftd check manifests/\n"
         "  graftd plan --config graftd.yaml\n"
         "  graftd run --config /etc/graftd/graftd.yaml\n\n"
         "graftd COMMAND --help tells more of a command; graftd(8) tells all.\n\n" +
         exit_codes_help();
}

std::string group_help(std::string_view group) {
  return fmt::format("Usage: graftd {} COMMAND [OPTIONS]\n\n{}\n{}", group, command_lines(std::string(group) + " "),
                     exit_codes_help());
}

std::string flag_usage(const Flag& flag) {
  const std::string name = flag.letter == 0 ? fmt::format("--{}", flag.name) : fmt::format("-{}", flag.letter);
  return flag.argument.empty() ? name : fmt::format("{} {}", name, flag.argument);
}

}  // namespace

std::string usage_of(const Command& command) {
  std::string out, excluded;
  for (const Flag& flag : flag_table()) {
    if (flag.commands.empty() || !has_flag(command.name, flag) || flag.name == excluded) continue;
    std::string usage = flag_usage(flag);
    for (const Flag& other : flag_table())
      if (!flag.excludes.empty() && other.name == flag.excludes) usage += " | " + flag_usage(other);
    excluded = flag.excludes;
    out += fmt::format("{}[{}]", out.empty() ? "" : " ", usage);
  }
  if (command.operand.empty()) return out;
  if (!out.empty()) out += ' ';
  return out +
         (command.operand_needed ? fmt::format("{}...", command.operand) : fmt::format("[{}...]", command.operand));
}

std::string help_text(std::string_view name) {
  if (name.empty()) return overall_help();
  const auto command = std::ranges::find(command_table(), name, &Command::name);
  if (command == command_table().end()) return group_help(name);
  const std::string usage = usage_of(*command);
  const std::string line = fmt::format("Usage: graftd {} {}{}{}", name, usage, usage.empty() ? "" : " ",
                                       command->settings ? "[SETTINGS]" : "[OPTIONS]");
  std::string out = fmt::format("graftd {}: {}.\n\n{}\n", name, command->purpose, wrapped(line, 0));
  if (!command->details.empty()) out += wrapped(command->details, 0) + "\n";
  out += options_help(name) + "\n";
  if (command->settings) out += settings_help() + "\n";
  return out + exit_codes_help();
}

}  // namespace graft::daemon
