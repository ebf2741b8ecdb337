// The completion of fish.
#include <fmt/format.h>

#include "daemon/completion.hpp"
#include "daemon/completion_rows.hpp"

namespace graft::daemon {

namespace {

using Values = CompletedFlag::Values;

std::string condition(const std::vector<std::string>& commands) {
  std::string out = "__graftd_at";
  for (const std::string& command : commands) out += fmt::format(" \"{}\"", command);
  return out;
}

std::string arguments_of(const CompletedFlag& flag) {
  switch (flag.values) {
    case Values::none:
      return "";
    case Values::any:
      return " -x";
    case Values::words:
      return fmt::format(" -x -a '{}'", joined(flag.words, " "));
    case Values::list:
      return fmt::format(" -x -a '(__fish_append , {})'", joined(flag.words, " "));
    case Values::files:
      return " -r -F";
    case Values::directories:
      break;
  }
  return " -x -a '(__fish_complete_directories)'";
}

std::string line(const std::string& when, const CompletedFlag& flag) {
  const std::string letter = flag.letter.empty() ? "" : fmt::format(" -s {}", flag.letter);
  return fmt::format("complete -c graftd -n '{}'{} -l {}{} -d '{}'\n", when, letter, flag.name, arguments_of(flag),
                     flag.help);
}

// Where a flag of the table is to be had, the groups and graftd itself included.
std::vector<std::string> places_of(const Flag& flag) {
  std::vector<std::string> places;
  if (has_flag("", flag)) places.emplace_back();
  for (const std::string_view group : command_groups())
    if (has_flag(group, flag)) places.emplace_back(group);
  for (const Command& command : command_table())
    if (has_flag(command.name, flag)) places.emplace_back(command.name);
  return places;
}

std::string openings() {
  std::string first, out;
  for (const CompletedWord& word : words_after("")) first += fmt::format(" ' {}'", word.word);
  out += fmt::format("            case{}\n                set command $word\n", first);
  for (const std::string_view group : command_groups()) {
    std::string inner;
    for (const CompletedWord& word : words_after(group)) inner += fmt::format(" '{} {}'", group, word.word);
    out += fmt::format("            case{}\n                set command \"{} $word\"\n", inner, group);
  }
  return out;
}

std::string command_lines() {
  std::string out;
  std::vector<std::string_view> openers = command_groups();
  openers.insert(openers.begin(), "");
  for (const std::string_view opener : openers)
    for (const CompletedWord& word : words_after(opener))
      out += fmt::format("complete -c graftd -n '{}' -a {} -d '{}'\n", condition({std::string(opener)}), word.word,
                         word.help);
  for (const Command& command : command_table())
    if (command.operand_type == Argument::path)
      out += fmt::format("complete -c graftd -n '{}' -F\n", condition({std::string(command.name)}));
  return out;
}

}  // namespace

std::string fish_completion() {
  std::string out =
      "# fish completion for graftd(8), from its tables (scripts/generate-docs).\n\n"
      "function __graftd_at -d 'Whether the command line is at one of these commands'\n"
      "    set -l command\n"
      "    for word in (commandline -opc)[2..]\n"
      "        switch \"$command $word\"\n";
  out += openings() +
         "            case '*'\n                break # a command comes before its flags\n"
         "        end\n    end\n    contains -- \"$command\" $argv\nend\n\n"
         "complete -c graftd -f\n";
  out += command_lines() + "\n";
  for (const Flag& flag : flag_table()) {
    const std::vector<std::string> places = places_of(flag);
    for (const CompletedFlag& row : own_flags(places.front()))
      if (row.name == flag.name) out += line(condition(places), row);
  }
  std::vector<std::string> with_settings;
  for (const Command& command : command_table())
    if (command.settings) with_settings.emplace_back(command.name);
  out += fmt::format("\nfunction __graftd_takes_settings\n    {}\nend\n\n", condition(with_settings));
  for (const CompletedFlag& flag : setting_flags()) out += line("__graftd_takes_settings", flag);
  return out;
}

}  // namespace graft::daemon
