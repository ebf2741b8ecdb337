// The forms that fields come in (cursor.hpp): text, yes or no, one of some words, a duration, lists and maps of such.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/cursor.hpp"

namespace graft::manifest {

// What is wrong with a text, and what to write instead.
struct Problem {
  std::string message, hint;
};
using TextCheck = std::function<std::optional<Problem>(std::string_view text)>;

[[nodiscard]] Form<std::string> text_form();
// Text that passes `check`; `schema` are further members of its JSON Schema ("\"maxLength\":40").
[[nodiscard]] Form<std::string> text_form(std::string name, std::string schema, TextCheck check);
[[nodiscard]] Form<bool> boolean_form();
[[nodiscard]] Form<std::string> word_form(std::vector<std::string_view> words);
[[nodiscard]] Form<std::chrono::seconds> duration_form();
[[nodiscard]] Form<std::map<std::string, std::string>> text_map_form();
// A map whose content is not ours to judge. Points into the tree that is decoded.
[[nodiscard]] Form<const Node*> map_form();

// True when the node is a string; reports what was found instead.
[[nodiscard]] bool is_text(const Node& node, std::string_view label, Reporter& reporter);

// A map with the fields of a table. The table must outlive the form (tables are static).
template <class S>
Form<S> object_form(const Table<S>& table) {
  std::string schema = table.schema();
  schema = schema.substr(1, schema.size() - 2);  // its members
  std::vector<Row> inner;
  for (const Row* row : table.rows()) inner.push_back(*row);
  return {"map", std::move(schema),
          [&table](const Node& node, std::string_view, S& out, Reporter& reporter) {
            std::optional<S> read = table.read(node, reporter);
            if (read) out = std::move(*read);
            return read.has_value();
          },
          std::move(inner)};
}

template <class T>
Form<std::vector<T>> list_form(Form<T> item) {
  std::string schema = "\"type\":\"array\",\"items\":{" + item.schema + "}";
  std::vector<Row> inner = item.inner;
  return {"list", std::move(schema),
          [item = std::move(item)](const Node& node, std::string_view label, std::vector<T>& out, Reporter& reporter) {
            if (node.type != Node::Type::sequence) {
              reporter.error(node.at,
                             std::string(label) + ": expected a list, found " + std::string(Node::word(node.type)));
              return false;
            }
            bool sound = true;
            for (const Node& each : node.items) sound = item.read(each, label, out.emplace_back(), reporter) && sound;
            return sound;
          },
          std::move(inner)};
}

}  // namespace graft::manifest
