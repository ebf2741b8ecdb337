#include "manifest/cursor.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/text.hpp"
#include "manifest/reader.hpp"

namespace graft::manifest {

namespace {

std::string full(const std::string& subject, std::string_view message) {
  return subject.empty() ? std::string(message) : fmt::format("{}: {}", subject, message);
}

std::vector<std::string_view> names_of(std::span<const Row* const> rows, std::span<const std::string_view> more) {
  std::vector<std::string_view> names;
  for (const Row* row : rows) names.push_back(row->name);
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

std::string known_fields(const std::vector<std::string_view>& names) {
  return fmt::format("known here: {}", fmt::join(names, ", "));
}

std::string json_string(std::string_view text) {
  return graft::quote(text);
}  // our own literals: no control characters

std::string property(const Row& row) {
  std::string schema = row.schema;
  if (row.presence.kind == Presence::Kind::defaulted) {
    const bool text = plain_scalar_type(row.presence.text) == Node::Type::string;
    schema += fmt::format(",\"default\":{}", text ? json_string(row.presence.text) : std::string(row.presence.text));
  }
  const std::string comma = schema.empty() ? "" : ",";
  return fmt::format("{}:{{{}{}\"description\":{}}}", json_string(row.name), schema, comma,
                     fmt::format("\"{}\"", row.description));
}

void document_row(const Row& row, const std::string& way, std::vector<FieldDoc>& docs) {
  const std::string name = way + std::string(row.name);
  docs.push_back({name, row.type, std::string(row.presence.text), std::string(row.description)});
  for (const Row& inner : row.inner) document_row(inner, name + (row.type == "list" ? "[]." : "."), docs);
}

}  // namespace

void Reporter::error(const Position& at, std::string_view message, std::string hint) {
  diagnostics_.error(at, full(subject_, message), std::move(hint));
}

void Reporter::warning(const Position& at, std::string_view message, std::string hint) {
  diagnostics_.warning(at, full(subject_, message), std::move(hint));
}

void Reporter::note(const Position& at, std::string_view message, std::string hint) {
  diagnostics_.note(at, full(subject_, message), std::move(hint));
}

bool is_map(const Node& node, std::string_view label, Reporter& reporter) {
  if (node.type == Node::Type::map || node.type == Node::Type::null) return true;
  reporter.error(node.at, fmt::format("{}: expected a map, found {}", label, Node::word(node.type)));
  return false;
}

bool only_known(const Node& map, std::span<const Row* const> rows, std::span<const Planned> planned,
                std::span<const std::string_view> also_known, Reporter& reporter) {
  const std::vector<std::string_view> names = names_of(rows, also_known);
  bool sound = true;
  for (const auto& [key, value] : map.entries) {
    if (std::find(names.begin(), names.end(), key.scalar) != names.end()) continue;
    sound = false;
    if (std::any_of(planned.begin(), planned.end(), [&](const Planned& p) { return p.name == key.scalar; })) {
      reporter.error(key.at, fmt::format("{} is not supported yet by this version of graftd", key.scalar));
      continue;
    }
    const auto near = did_you_mean(key.scalar, names);
    reporter.error(key.at, fmt::format("unknown field {}", graft::quote(key.scalar)),
                   near ? fmt::format("did you mean {}?", graft::quote(*near)) : known_fields(names));
  }
  return sound;
}

void report_missing(const Node& map, const Row& row, Reporter& reporter) {
  reporter.error(map.at, fmt::format("the field {} is missing", graft::quote(row.name)),
                 fmt::format("{}: {}", row.name, row.type));
}

Node default_node(const Row& row, const Position& at) {
  Node node;
  node.type = plain_scalar_type(row.presence.text);
  node.at = at;
  node.scalar = row.presence.text;
  return node;
}

std::string object_schema(std::span<const Row* const> rows, std::string_view rule) {
  std::vector<std::string> properties, needed;
  for (const Row* row : rows) {
    properties.push_back(property(*row));
    if (row->presence.kind == Presence::Kind::required) needed.push_back(json_string(row->name));
  }
  std::string out = R"({"type":"object","additionalProperties":false)";
  if (!needed.empty()) out += fmt::format(",\"required\":[{}]", fmt::join(needed, ","));
  if (!rule.empty()) out += fmt::format(",{}", rule);
  return out + fmt::format(",\"properties\":{{{}}}}}", fmt::join(properties, ","));
}

std::vector<FieldDoc> docs_of(std::span<const Row* const> rows) {
  std::vector<FieldDoc> docs;
  for (const Row* row : rows) document_row(*row, {}, docs);
  return docs;
}

}  // namespace graft::manifest
