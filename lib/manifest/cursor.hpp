// Strict decoding from a table: each spec is a plain struct and one Table beside it, a row a field. Decoding, "did you
// mean", the JSON Schema and the documentation all come from that table; there is no second list of fields anywhere.
//
//   const Table<FolderSpec>& folder_table() {
//     static const Table<FolderSpec> table{{
//         field("title", &FolderSpec::title, title_form(), required, "What people read."),
//         field("parent", &FolderSpec::parent, uid_form(), optional, "The uid of the folder round it.")}};
//     return table;
//   }
//   std::optional<FolderSpec> spec = folder_table().read(node, reporter);   // nullopt: problems were reported
//
// The non-template half is cursor.cpp; ready-made forms are in forms.hpp.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostics.hpp"
#include "manifest/decoder.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

// Reports problems of one resource: every message opens with its name.
class Reporter {
 public:
  Reporter(Diagnostics& diagnostics, std::string subject) : diagnostics_(diagnostics), subject_(std::move(subject)) {}
  void error(const Position& at, std::string_view message, std::string hint = {});
  void warning(const Position& at, std::string_view message, std::string hint = {});
  void note(const Position& at, std::string_view message, std::string hint = {});
  [[nodiscard]] const std::string& subject() const { return subject_; }

 private:
  Diagnostics& diagnostics_;
  std::string subject_;
};

struct Presence {
  enum class Kind : unsigned char { required, optional, defaulted } kind;
  std::string_view text;  // the default, as one would write it in YAML
};
inline constexpr Presence required{Presence::Kind::required, "required"};
inline constexpr Presence optional{Presence::Kind::optional, "optional"};
constexpr Presence defaults_to(std::string_view text) { return {Presence::Kind::defaulted, text}; }

struct Row {  // what all tables have in common
  std::string_view name;
  std::string type, schema;
  Presence presence;
  std::string_view description;
  std::vector<Row> inner;  // of a nested table
};

// A form of value: its name for people, its members in a JSON Schema, and how to read it. `read` reports and returns
// false when the value does not have the form; `label` is the field's name.
template <class T>
struct Form {
  std::string name;
  std::string schema;  // "\"type\":\"string\",\"maxLength\":40"
  std::function<bool(const Node& node, std::string_view label, T& out, Reporter& reporter)> read;
  std::vector<Row> inner = {};  // of a map with fields of its own, or a list of such
};

template <class T>
struct Located {  // a value that remembers where it stands, for checks that come after decoding
  T value{};
  Position at;
  [[nodiscard]] bool given() const { return at.known(); }
};

// A field of the language that this version does not have yet: refused by name rather than as a slip of the hand.
struct Planned {
  std::string_view name;
};

template <class S>
struct Field {
  Row row;
  std::function<bool(const Node&, S&, Reporter&)> read;
};

template <class S, class T>
Field<S> field(std::string_view name, T S::* member, Form<T> form, Presence presence, std::string_view description) {
  Row row{name, form.name, form.schema, presence, description, form.inner};
  return {std::move(row), [name, member, form = std::move(form)](const Node& node, S& out, Reporter& reporter) {
            return form.read(node, name, out.*member, reporter);
          }};
}

template <class S, class T>
Field<S> field(std::string_view name, std::optional<T> S::* member, Form<T> form, Presence presence,
               std::string_view description) {
  Row row{name, form.name, form.schema, presence, description, form.inner};
  return {std::move(row), [name, member, form = std::move(form)](const Node& node, S& out, Reporter& reporter) {
            return form.read(node, name, (out.*member).emplace(), reporter);
          }};
}

template <class S, class T>
Field<S> field(std::string_view name, Located<T> S::* member, Form<T> form, Presence presence,
               std::string_view description) {
  Row row{name, form.name, form.schema, presence, description, form.inner};
  return {std::move(row), [name, member, form = std::move(form)](const Node& node, S& out, Reporter& reporter) {
            (out.*member).at = node.at;
            return form.read(node, name, (out.*member).value, reporter);
          }};
}

// A map, or nothing at all (which is an empty one); anything else is reported.
[[nodiscard]] bool is_map(const Node& node, std::string_view label, Reporter& reporter);
// Reports keys that are neither fields nor in `also_known`.
[[nodiscard]] bool only_known(const Node& map, std::span<const Row* const> rows, std::span<const Planned> planned,
                              std::span<const std::string_view> also_known, Reporter& reporter);
void report_missing(const Node& map, const Row& row, Reporter& reporter);
[[nodiscard]] Node default_node(const Row& row, const Position& at);
// The schema of an object with these fields; `rule` is added as it is ("\"oneOf\":[…]").
[[nodiscard]] std::string object_schema(std::span<const Row* const> rows, std::string_view rule);
[[nodiscard]] std::vector<FieldDoc> docs_of(std::span<const Row* const> rows);

template <class S>
class Table {
 public:
  explicit Table(std::vector<Field<S>> fields, std::vector<Planned> planned = {}, std::string rule = {})
      : fields_(std::move(fields)), planned_(std::move(planned)), rule_(std::move(rule)) {}

  // All problems are reported, then nullopt is returned.
  [[nodiscard]] std::optional<S> read(const Node& node, Reporter& reporter,
                                      std::span<const std::string_view> also_known = {}) const {
    if (!is_map(node, "spec", reporter)) return std::nullopt;
    bool sound = only_known(node, rows(), planned_, also_known, reporter);
    S out{};
    for (const Field<S>& each : fields_) sound = read_one(node, each, out, reporter) && sound;
    return sound ? std::optional<S>(std::move(out)) : std::nullopt;
  }

  [[nodiscard]] std::string schema() const { return object_schema(rows(), rule_); }
  [[nodiscard]] std::vector<FieldDoc> docs() const { return docs_of(rows()); }
  [[nodiscard]] std::vector<const Row*> rows() const {
    std::vector<const Row*> out;
    for (const Field<S>& each : fields_) out.push_back(&each.row);
    return out;
  }

 private:
  static bool read_one(const Node& node, const Field<S>& each, S& out, Reporter& reporter) {
    if (const Node* value = node.find(each.row.name)) return each.read(*value, out, reporter);
    if (each.row.presence.kind == Presence::Kind::optional) return true;
    if (each.row.presence.kind == Presence::Kind::required) {
      report_missing(node, each.row, reporter);
      return false;
    }
    return each.read(default_node(each.row, Position{}), out, reporter);
  }

  std::vector<Field<S>> fields_;
  std::vector<Planned> planned_;
  std::string rule_;
};

}  // namespace graft::manifest
