// The command line: which command, with which options. Nothing is read or run here. Commands and flags are two tables:
// parsing, `--help`, graftd(8) and the completion of shells all come from them, and from the table of settings, each of
// which is a flag too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace graft::daemon {

enum class Output : bool { text, json };

struct Options {
  std::string command;  // "plan", "tokens list"; "" with --help or --version alone
  bool help = false;
  bool version = false;
  std::optional<std::string> config;
  std::map<std::string, std::string> settings;  // by key, from flags
  Output output = Output::text;
  bool detailed_exitcode = false;
  bool watch = false, probe = false;           // of status
  std::optional<std::string> wait;             // of reload and sync: a duration
  std::map<std::string, std::string> filters;  // of history: by the name of the query
  std::vector<std::string> paths;              // of check
  std::vector<std::string> slots;              // of tokens: ORGANIZATION/ACCOUNT/TOKEN
};

// What an argument is: for completion, and whether the command line is refused without looking further.
enum class Argument : std::uint8_t {
  none,
  text,  // nothing that could be completed
  word,  // one of the row's words; another is refused
  kind,  // a kind of resource
  path,  // a file or a directory
};

struct Flag {
  std::string_view name;           // "output", without its dashes
  char letter = 0;                 // 'o'
  std::string_view argument = {};  // "DURATION"; "" when it takes none
  Argument type = Argument::none;
  std::span<const std::string_view> words = {};
  std::string_view help;                            // one line
  std::span<const std::string_view> commands = {};  // that have it; "" is graftd itself
  std::string_view excludes = {};                   // the name of a flag that cannot be given beside it
  void (*set)(Options& options, const std::string& argument) = nullptr;
};
[[nodiscard]] std::span<const Flag> flag_table();
[[nodiscard]] bool has_flag(std::string_view command, const Flag& flag);

struct Command {
  std::string_view name;          // "plan", "tokens list"
  std::string_view operand = {};  // "PATH": any number of them; "" when it takes none
  bool operand_needed = false;
  Argument operand_type = Argument::none;
  bool settings = true;      // whether the settings are flags of it
  std::string_view purpose;  // one line
  std::string_view details;  // sentences; may be ""
  std::vector<std::string> Options::* operands = nullptr;
};
[[nodiscard]] std::span<const Command> command_table();
// The commands that only open others: "tokens".
[[nodiscard]] std::vector<std::string_view> command_groups();

// ErrorCode::invalid: the command line is wrong (exit code 64).
[[nodiscard]] Result<Options> parse_command_line(int argc, const char* const* argv);

[[nodiscard]] std::string help_text(std::string_view command);  // "" for graftd as a whole, "tokens" for a group
// "[--wait DURATION]", "[-o text|json] [PATH...]": what may follow a command, but for its settings.
[[nodiscard]] std::string usage_of(const Command& command);

}  // namespace graft::daemon
