// The completion of zsh.
#include <fmt/format.h>

#include "daemon/completion.hpp"
#include "daemon/completion_rows.hpp"

namespace graft::daemon {

namespace {

using Values = CompletedFlag::Values;

// Text within a specification of _arguments, which stands in single quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string argument_of(const CompletedFlag& flag) {
  const std::string message = escaped(flag.argument);
  switch (flag.values) {
    case Values::none:
      return "";
    case Values::any:
      return fmt::format(":{}: ", message);
    case Values::words:
      return fmt::format(":{}:({})", message, joined(flag.words, " "));
    case Values::list:
      return fmt::format(":{}:_values -s , word {}", message, joined(flag.words, " "));
    case Values::files:
      return fmt::format(":{}:_files", message);
    case Values::directories:
      break;
  }
  return fmt::format(":{}:_files -/", message);
}

// One or two specifications: of the flag, and of its letter.
std::string specification(const CompletedFlag& flag) {
  std::string excluded = flag.name == "help" || flag.name == "version" ? "(- *)" : "";
  if (!flag.letter.empty() && excluded.empty()) excluded = fmt::format("(-{} --{})", flag.letter, flag.name);
  if (!flag.excludes.empty()) excluded = fmt::format("(--{})", flag.excludes);
  const std::string rest = fmt::format("[{}]{}", escaped(flag.help), argument_of(flag));
  const std::string_view equals = flag.values == Values::none ? "" : "=";
  std::string out;
  if (!flag.letter.empty()) out += fmt::format("    '{}-{}{}'\n", excluded, flag.letter, rest);
  return out + fmt::format("    '{}--{}{}{}'\n", excluded, flag.name, equals, rest);
}

std::string function_name(std::string_view command) {
  std::string out = "_graftd";
  if (!command.empty()) out += '_';
  for (const char c : command) out += c == ' ' ? '_' : c;
  return out;
}

std::string flag_list(std::string_view command) {
  std::string out = "  local -a flags=(\n";
  for (const CompletedFlag& flag : own_flags(command)) out += specification(flag);
  return out + "  )\n";
}

// graftd itself, or a group: its flags, a word, and then what the command of that word takes.
std::string opener(std::string_view group) {
  const std::string name = function_name(group);
  std::string out = fmt::format("(( $+functions[{0}_words] )) ||\n{0}_words() {{\n  local -a words_here=(\n", name);
  for (const CompletedWord& word : words_after(group))
    out += fmt::format("    '{}:{}'\n", word.word, escaped(word.help));
  out += "  )\n  _describe -t commands command words_here\n}\n\n";
  out += fmt::format("{}() {{\n  local curcontext=$curcontext state line ret=1\n  typeset -A opt_args\n", name);
  out += flag_list(group);
  out += fmt::format(
      "  _arguments -C $flags '1: :{0}_words' '*:: :->inner' && ret=0\n"
      "  if [[ $state == inner ]]; then\n"
      "    curcontext=${{curcontext%:*:*}}:graftd-$words[1]:\n"
      "    _call_function ret {0}_$words[1]\n"
      "  fi\n"
      "  return ret\n}}\n\n",
      name);
  return out;
}

std::string command_function(const Command& command) {
  std::string out = fmt::format("{}() {{\n{}", function_name(command.name), flag_list(command.name));
  std::string operand;
  if (command.operand_type == Argument::path) operand = fmt::format(" '*:{}:_files'", command.operand);
  if (command.operand_type == Argument::text) operand = fmt::format(" '*:{}: '", command.operand);
  const std::string_view settings = command.settings ? " $_graftd_settings" : "";
  return out + fmt::format("  _arguments -s -S $flags{}{}\n}}\n\n", settings, operand);
}

}  // namespace

std::string zsh_completion() {
  std::string out =
      "#compdef graftd\n# zsh completion for graftd(8), from its tables (scripts/generate-docs).\n\n"
      "typeset -ga _graftd_settings=(\n";
  for (const CompletedFlag& flag : setting_flags()) out += specification(flag).substr(2);
  out += ")\n\n";
  for (const Command& command : command_table()) out += command_function(command);
  for (const std::string_view group : command_groups()) out += opener(group);
  return out + opener("") + "_graftd \"$@\"\n";
}

}  // namespace graft::daemon
