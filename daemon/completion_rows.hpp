// The tables as the writers of the completions see them: flags with what their arguments are, quoted for no shell yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/options.hpp"

namespace graft::daemon {

struct CompletedFlag {
  enum class Values : std::uint8_t {
    none,  // it takes no argument
    any,   // nothing that could be known
    words,
    list,  // of words, separated by commas
    files,
    directories,
  };
  std::string name;      // "output", without its dashes
  std::string letter;    // "o", or ""
  std::string argument;  // "a duration"
  Values values = Values::none;
  std::vector<std::string> words;
  std::string help;      // one line, without marks
  std::string excludes;  // the name of another flag, or ""
};

// The flags of a command, of a group or of graftd itself (""), but for the settings.
[[nodiscard]] std::vector<CompletedFlag> own_flags(std::string_view command);
[[nodiscard]] std::vector<CompletedFlag> setting_flags();

// What may come first after `graftd`, or after a group: "run", "tokens"; with one line of help.
struct CompletedWord {
  std::string word, help;
};
[[nodiscard]] std::vector<CompletedWord> words_after(std::string_view group);

// `'` is left out of the texts for people, so that every shell can quote them in one way.
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view between);

}  // namespace graft::daemon
