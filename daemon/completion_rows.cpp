#include "daemon/completion_rows.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "daemon/settings.hpp"
#include "kinds/decoders.hpp"

namespace graft::daemon {

namespace {

using Values = CompletedFlag::Values;

// The first clause, as plain text: "Who this graftd is".
std::string short_help(std::string_view text) {
  const std::size_t end = std::min(text.find(". "), text.find("; "));
  std::string out;
  for (const char c : text.substr(0, end)) {
    if (c == '\'') out += "’";
    if (c != '\'' && c != '`') out += c;
  }
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const manifest::Decoder* decoder : kinds::all_decoders()) names.emplace_back(decoder->kind().text());
  return names;
}

std::vector<std::string> owned(std::span<const std::string_view> words) { return {words.begin(), words.end()}; }

Values values_of(Argument type) {
  switch (type) {
    case Argument::none:
      return Values::none;
    case Argument::text:
      return Values::any;
    case Argument::word:
    case Argument::kind:
      return Values::words;
    case Argument::path:
      break;
  }
  return Values::files;
}

Values values_of(Form::Type type) {
  switch (type) {
    case Form::Type::file:
      return Values::files;
    case Form::Type::directory:
      return Values::directories;
    case Form::Type::boolean:
    case Form::Type::word:
      return Values::words;
    case Form::Type::words:
      return Values::list;
    case Form::Type::text:
    case Form::Type::duration:
    case Form::Type::number:
      break;
  }
  return Values::any;
}

}  // namespace

std::vector<CompletedFlag> own_flags(std::string_view command) {
  std::vector<CompletedFlag> out;
  for (const Flag& flag : flag_table()) {
    if (!has_flag(command, flag)) continue;
    CompletedFlag row;
    row.name = flag.name;
    if (flag.letter != 0) row.letter = flag.letter;
    row.argument = flag.argument;
    row.values = values_of(flag.type);
    row.words = flag.type == Argument::kind ? kind_names() : owned(flag.words);
    row.help = flag.help;
    row.excludes = flag.excludes;
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<CompletedFlag> setting_flags() {
  std::vector<CompletedFlag> out;
  for (const Setting& setting : setting_table()) {
    CompletedFlag row;
    row.name = flag_of(setting.key).substr(2);
    row.argument = setting.form.name;
    row.values = values_of(setting.form.type);
    row.words = owned(setting.form.words);
    if (setting.form.type == Form::Type::boolean) row.words = {"true", "false"};
    row.help = short_help(setting.description);
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<CompletedWord> words_after(std::string_view group) {
  const std::string prefix = group.empty() ? "" : std::string(group) + " ";
  std::vector<CompletedWord> out;
  for (const Command& command : command_table()) {
    if (!command.name.starts_with(prefix)) continue;
    const std::string_view rest = command.name.substr(prefix.size());
    const std::size_t space = rest.find(' ');
    const std::string word(rest.substr(0, space));
    if (std::ranges::find(out, word, &CompletedWord::word) != out.end()) continue;
    out.push_back({word, space == rest.npos ? std::string(command.purpose) : fmt::format("commands for {}", word)});
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

}  // namespace graft::daemon
