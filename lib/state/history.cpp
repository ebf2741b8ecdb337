#include "state/history.hpp"

#include <fmt/format.h>

namespace graft::state {

namespace {

constexpr std::string_view ellipsis = "...";

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

std::string shortened(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit < ellipsis.size() ? 0 : limit - ellipsis.size();
  while (end > 0 && continues_a_character(text[end])) --end;
  text.resize(end);
  return text.append(ellipsis.substr(0, limit));
}

Change bounded(Change change) {
  std::string left_out;
  if (change.fields.size() > most_fields) {
    left_out = fmt::format("{}{} more fields", change.message.empty() ? "" : "; ", change.fields.size() - most_fields);
    change.fields.resize(most_fields);
  }
  for (FieldChange& field : change.fields)
    for (std::string* text : {&field.pointer, &field.before, &field.after})
      *text = shortened(std::move(*text), longest_field_text);
  change.message = shortened(std::move(change.message), longest_message - left_out.size()) + left_out;
  return change;
}

}  // namespace graft::state
