// The completion of bash. It needs no framework: bash-completion loads it by the name of the command, and `source`
// does.
#include <fmt/format.h>

#include "daemon/completion.hpp"
#include "daemon/completion_rows.hpp"

namespace graft::daemon {

namespace {

using Values = CompletedFlag::Values;

std::string flag_words(const std::vector<CompletedFlag>& flags) {
  std::string out;
  for (const CompletedFlag& flag : flags) {
    if (!out.empty()) out += ' ';
    if (!flag.letter.empty()) out += fmt::format("-{} ", flag.letter);
    out += fmt::format("--{}", flag.name);
  }
  return out;
}

std::string wrapped(const std::string& words, std::string_view indent) {
  std::string out, line;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string word = words.substr(at, end - at);
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > 110) {
      out += fmt::format("{}{}\n", indent, line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return out + fmt::format("{}{}", indent, line);
}

// The words that open a command, by the command that they follow: " run", "tokens list".
std::string opening_cases() {
  std::string out;
  std::vector<std::string> first;
  for (const CompletedWord& word : words_after("")) first.push_back(fmt::format("' {}'", word.word));
  out += fmt::format("      {}) command=$word ;;\n", joined(first, " | "));
  for (const std::string_view group : command_groups()) {
    std::vector<std::string> inner;
    for (const CompletedWord& word : words_after(group)) inner.push_back(fmt::format("'{} {}'", group, word.word));
    out += fmt::format("      {}) command=\"{} $word\" ;;\n", joined(inner, " | "), group);
  }
  return out;
}

std::string word_cases() {
  std::string out;
  std::vector<std::string_view> openers = command_groups();
  openers.insert(openers.begin(), "");
  for (const std::string_view opener : openers) {
    std::vector<std::string> words;
    for (const CompletedWord& word : words_after(opener)) words.push_back(word.word);
    out += fmt::format("    '{}') words='{}' ;;\n", opener, joined(words, " "));
  }
  for (const Command& command : command_table())
    if (command.operand_type != Argument::none)
      out += fmt::format("    '{}') operands={} ;;\n", command.name,
                         command.operand_type == Argument::path ? "paths" : "any");
  return out;
}

std::string flag_cases() {
  std::string out;
  std::vector<std::string_view> openers = command_groups();
  openers.insert(openers.begin(), "");
  for (const std::string_view opener : openers)
    out += fmt::format("    '{}') flags='{}' ;;\n", opener, flag_words(own_flags(opener)));
  for (const Command& command : command_table())
    out += fmt::format("    '{}') flags=\"{}{}\" ;;\n", command.name, flag_words(own_flags(command.name)),
                       command.settings ? " $settings" : "");
  return out;
}

std::string names_of(const CompletedFlag& flag) {
  return (flag.letter.empty() ? "" : fmt::format("-{} | ", flag.letter)) + fmt::format("--{}", flag.name);
}

std::string value_cases() {
  std::vector<CompletedFlag> all = setting_flags();
  std::vector<std::string> seen;
  for (const Flag& flag : flag_table()) {
    const std::string_view command = flag.commands.empty() ? "" : flag.commands.front();
    for (CompletedFlag& row : own_flags(command))
      if (row.name == flag.name) all.push_back(std::move(row));
  }
  std::string out;
  std::vector<std::string> any, files, directories;
  for (const CompletedFlag& flag : all) {
    if (flag.values == Values::any) any.push_back(names_of(flag));
    if (flag.values == Values::files) files.push_back(names_of(flag));
    if (flag.values == Values::directories) directories.push_back(names_of(flag));
    if (flag.values == Values::words || flag.values == Values::list)
      out += fmt::format("    {}) kind={} words='{}' ;;\n", names_of(flag),
                         flag.values == Values::words ? "words" : "list", joined(flag.words, " "));
  }
  const auto group = [&](const std::vector<std::string>& names, std::string_view kind) {
    std::string lines;
    for (const std::string& name : names) lines += (lines.empty() ? "    " : " | \\\n      ") + name;
    if (!names.empty()) out += fmt::format("{}) kind={} ;;\n", lines, kind);
  };
  group(files, "paths");
  group(directories, "directories");
  group(any, "any");
  return out;
}

constexpr std::string_view offering = R"(
# Puts into COMPREPLY what begins with $1: of the words $3, or of the files; $2 says which.
_graftd_offer() {
  local IFS=$' \t\n' current=$1 before=''
  case $2 in
    words) mapfile -t COMPREPLY < <(compgen -W "$3" -- "$current") ;;
    list) # the last of those between commas
      [[ $current == *,* ]] && before=${current%,*},
      mapfile -t COMPREPLY < <(compgen -P "$before" -W "$3" -- "${current##*,}") ;;
    paths | directories)
      if [[ $2 == paths ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
      fi
      compopt -o filenames 2>/dev/null ;;
  esac
}
)";

constexpr std::string_view beginning = R"(
_graftd() {
  local current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} command='' word i
  COMPREPLY=()
  # bash takes --flag=value for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $flag == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # A command comes before its flags.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command $word" in
)";

constexpr std::string_view ending = R"(
  if _graftd_value "$flag"; then
    _graftd_offer "$current" "$kind" "$words"
    return
  fi
  _graftd_words "$command"
  if [[ $current == -* || ($operands == none && -z $words) ]]; then
    _graftd_offer "$current" words "$flags"
  elif [[ -n $words ]]; then
    _graftd_offer "$current" words "$words"
  else
    _graftd_offer "$current" "$operands"
  fi
}

complete -F _graftd graftd
)";

}  // namespace

std::string bash_completion() {
  std::string out =
      "# bash completion for graftd(8), from its tables (scripts/generate-docs).\n"
      "# shellcheck shell=bash disable=SC2034\n\n"
      "# Sets words, flags and operands: what may follow the command $1.\n"
      "_graftd_words() {\n  local settings='\n";
  out += wrapped(flag_words(setting_flags()), "    ") + "'\n  words='' flags='' operands=none\n  case $1 in\n";
  out += word_cases() + "  esac\n  case $1 in\n" + flag_cases() + "  esac\n}\n\n";
  out +=
      "# Sets kind and words: what may follow the flag $1. False when it takes no argument.\n"
      "_graftd_value() {\n  kind='' words=''\n  case $1 in\n";
  out += value_cases() + "    *) return 1 ;;\n  esac\n}\n";
  out += offering;
  out += beginning;
  out += opening_cases() + "      *) break ;;\n    esac\n  done\n  local words='' flags='' operands=none kind=''";
  return out + std::string(ending);
}

}  // namespace graft::daemon
