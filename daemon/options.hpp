// The command line: which command, with which options. Nothing is read or run here.
#pragma once

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

struct CommandRow {
  std::string_view name, arguments, purpose, details;
};
[[nodiscard]] std::span<const CommandRow> command_table();

// ErrorCode::invalid: the command line is wrong (exit code 64).
[[nodiscard]] Result<Options> parse_command_line(int argc, const char* const* argv);

[[nodiscard]] std::string help_text(std::string_view command);  // "" for graftd as a whole

}  // namespace graft::daemon
