// The shells themselves are asked what they complete: all commands, all flags of each, words, files and directories.
// What is expected comes from the tables.
#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/options.hpp"
#include "daemon/settings.hpp"
#include "kinds/decoders.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using namespace graft::daemon;

namespace {

using Words = std::set<std::string>;

struct Case {
  std::string line;  // up to the cursor
  Words expected;
};

const std::string completions = GRAFTD_SOURCE_DIR "/deploy/completion/";

Words first_words(const std::string& after) {
  Words out;
  for (const Command& command : command_table()) {
    if (!command.name.starts_with(after)) continue;
    const std::string_view rest = command.name.substr(after.size());
    out.emplace(rest.substr(0, rest.find(' ')));
  }
  return out;
}

Words flags_of(std::string_view command, bool settings) {
  Words out;
  for (const Flag& flag : flag_table())
    if (has_flag(command, flag)) out.insert("--" + std::string(flag.name));
  if (settings)
    for (const Setting& setting : setting_table()) out.insert(flag_of(setting.key));
  return out;
}

Words words_of(const Flag& flag) {
  if (flag.type != Argument::kind) return {flag.words.begin(), flag.words.end()};
  Words kinds;
  for (const manifest::Decoder* decoder : kinds::all_decoders()) kinds.emplace(decoder->kind().text());
  return kinds;
}

void add_value_cases(std::vector<Case>& cases, const std::string& before, const std::string& flag, const Words& words) {
  cases.push_back({fmt::format("graftd {} {} ", before, flag), words});
  cases.push_back({fmt::format("graftd {} {}=", before, flag), words});
  const std::string& first = *words.begin();
  cases.push_back({fmt::format("graftd {} {} {}", before, flag, first.substr(0, first.size() - 1)), {first}});
}

void add_settings_cases(std::vector<Case>& cases) {
  const Words files{"a-file.pem", "a-folder"}, directories{"a-folder"};
  for (const Setting& setting : setting_table()) {
    const std::string flag = flag_of(setting.key);
    const Words words(setting.form.words.begin(), setting.form.words.end());
    switch (setting.form.type) {
      case Form::Type::boolean:
        add_value_cases(cases, "apply", flag, {"true", "false"});
        break;
      case Form::Type::word:
      case Form::Type::words:
        add_value_cases(cases, "apply", flag, words);
        break;
      case Form::Type::file:
        cases.push_back({fmt::format("graftd run {} a-f", flag), files});
        break;
      case Form::Type::directory:
        cases.push_back({fmt::format("graftd run {} a-f", flag), directories});
        break;
      case Form::Type::text:
      case Form::Type::duration:
      case Form::Type::number:
        cases.push_back({fmt::format("graftd run {} a-f", flag), {}});
        break;
    }
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases{{"graftd ", first_words("")}, {"graftd pl", {"plan"}}, {"graftd --", flags_of("", false)}};
  for (const std::string_view group : command_groups()) {
    cases.push_back({fmt::format("graftd {} ", group), first_words(std::string(group) + " ")});
    cases.push_back({fmt::format("graftd {} --", group), flags_of(group, false)});
  }
  for (const Command& command : command_table()) {
    cases.push_back({fmt::format("graftd {} --", command.name), flags_of(command.name, command.settings)});
    for (const Flag& flag : flag_table())
      if (has_flag(command.name, flag) && (flag.type == Argument::word || flag.type == Argument::kind))
        add_value_cases(cases, std::string(command.name), "--" + std::string(flag.name), words_of(flag));
    if (command.operand_type == Argument::path)
      cases.push_back({fmt::format("graftd {} a-f", command.name), {"a-file.pem", "a-folder"}});
    if (command.operand_type == Argument::text) cases.push_back({fmt::format("graftd {} a-f", command.name), {}});
  }
  add_settings_cases(cases);
  return cases;
}

// Runs a script of a shell in a directory with a file and a folder. The script prints "== N" before the answer to case
// N.
std::map<std::size_t, Words> answers_of(const std::string& shell, const std::string& script) {
  const test::TemporaryDirectory directory;
  directory.write("a-file.pem", "");
  directory.write("a-folder/inner", "");
  directory.write("script", script);
  test_support::Process process({"/bin/sh", "-c", "cd \"$0\" && exec " + shell + " script", directory.path().string()},
                                directory.path().string(), {{"HOME", directory.path().string()}, {"TERM", "dumb"}});
  const int code = process.wait();
  REQUIRE_MESSAGE(code != 127, shell, " is missing; it is a package of Debian");
  CHECK_MESSAGE(process.err().empty(), process.err());
  std::map<std::size_t, Words> answers;
  std::size_t number = 0;
  const std::string out = process.out();
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = std::min(out.find('\n', at), out.size());
    std::string line = out.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("== ")) {
      number = std::stoul(line.substr(3));
      answers[number];
    } else if (!line.empty()) {
      answers[number].insert(line);
    }
  }
  return answers;
}

// As people see it: without the description, the flag in front of "=" and what marks a folder or an argument to come.
Words plain(const Words& answer) {
  Words out;
  for (std::string word : answer) {
    word = word.substr(0, word.find('\t'));
    const std::size_t equals = word.find('=');
    if (word.starts_with("--") && equals != word.npos && equals + 1 < word.size()) word = word.substr(equals + 1);
    while (word.ends_with('=') || word.ends_with('/')) word.pop_back();
    out.insert(word);
  }
  return out;
}

void check(const std::vector<Case>& cases, const std::map<std::size_t, Words>& answers) {
  REQUIRE(cases.size() > 60);
  CHECK(answers.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].line);
    const auto found = answers.find(i);
    const Words answer = found == answers.end() ? Words{"no answer"} : plain(found->second);
    for (const std::string& word : cases[i].expected) CHECK_MESSAGE(answer.contains(word), word, " is missing");
    for (const std::string& word : answer) CHECK_MESSAGE(cases[i].expected.contains(word), word, " is too much");
  }
}

// bash hands a line over in words, with '=' as one of its own.
std::string bash_words(const std::string& line) {
  std::string out, word;
  for (const char c : line) {
    if (c != ' ' && c != '=') {
      word += c;
      continue;
    }
    if (!word.empty()) out += fmt::format(" '{}'", word);
    if (c == '=') out += " '='";
    word.clear();
  }
  return line.ends_with('=') ? out : out + fmt::format(" '{}'", word);
}

}  // namespace

TEST_CASE("no flag is a setting, or another flag, as well: the shells know arguments by the flag's name") {
  Words seen;
  for (const Flag& flag : flag_table()) CHECK(seen.insert("--" + std::string(flag.name)).second);
  for (const Setting& setting : setting_table()) CHECK(seen.insert(flag_of(setting.key)).second);
}

TEST_CASE("bash completes every command, every flag and every value that is known") {
  const std::vector<Case> cases = all_cases();
  std::string script = fmt::format(
      "source {}graftd.bash\n"
      "[[ $(complete -p graftd) == 'complete -F _graftd graftd' ]] || echo 'not set up' >&2\n"
      "ask() {{\n  echo \"== $1\"\n  shift\n  COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=()\n"
      "  _graftd\n  printf '%s\\n' \"${{COMPREPLY[@]}}\"\n}}\n",
      completions);
  for (std::size_t i = 0; i < cases.size(); ++i) script += fmt::format("ask {}{}\n", i, bash_words(cases[i].line));
  check(cases, answers_of("bash --norc", script));
}

TEST_CASE("bash completes the last of words between commas") {
  const std::vector<std::string> lines{"'drift,ho'", "'drift,nothing'"};
  const auto answers =
      answers_of("bash --norc", fmt::format("source {}graftd.bash\n"
                                            "for word in drift,ho drift,nothing; do\n"
                                            "  COMP_WORDS=(graftd run --webhook-events $word) COMP_CWORD=3\n"
                                            "  _graftd\n  printf '%s\\n' \"== $((n++))\" \"${{COMPREPLY[@]}}\"\n"
                                            "done\n",
                                            completions));
  CHECK(answers.at(0) == Words{"drift,hold"});
  CHECK(answers.at(1).empty());
}

TEST_CASE("fish completes every command, every flag and every value that is known") {
  const std::vector<Case> cases = all_cases();
  std::string script = fmt::format("source {}graftd.fish\n", completions);
  for (std::size_t i = 0; i < cases.size(); ++i)
    script += fmt::format("echo '== {}'\ncomplete -C '{}'\n", i, cases[i].line);
  check(cases, answers_of("fish --no-config", script));
}

TEST_CASE("zsh completes every command, every flag and every value that is known") {
  const std::vector<Case> cases = all_cases();
  // A shell on a terminal of its own, in which Tab writes down what it would offer.
  std::string script = fmt::format(R"(zmodload zsh/zpty
cat > setup <<'END'
PROMPT='' RPROMPT=''
fpath=({} $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {{
  # Calls with these fill arrays and offer nothing.
  if (( ${{@[(I)-[OAD]]}} )); then builtin compadd "$@"; return; fi
  local -a offered
  builtin compadd -A offered "$@"
  print -rl -- $offered >> answers
  builtin compadd "$@"
}}
answer() {{ _main_complete; compstate[insert]='' compstate[list]=''; print -r -- '== end' >> answers }}
zle -C answer complete-word answer
bindkey '^I' answer
: > ready
END
zpty shell 'exec zsh -f -i'
zpty -w shell 'source ./setup'
await() {{ # CONDITION…
  local drop
  until "$@"; do zpty -r -t shell drop >/dev/null; sleep 0.01; done
}}
ended() {{ [[ -e answers && $(tail -n 1 answers) == '== end' ]] }}
await test -e ready
ask() {{
  rm -f answers
  zpty -w -n shell "$2"$'\t'
  await ended
  zpty -w -n shell $'\025'
  print -r -- "== $1"
  grep -vx '== end' answers
}}
)",
                                   completions);
  for (std::size_t i = 0; i < cases.size(); ++i) script += fmt::format("ask {} '{}'\n", i, cases[i].line);
  check(cases, answers_of("zsh -f", script + "zpty -d shell\n"));
}
