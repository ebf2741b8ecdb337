#include "manifest/envelope.hpp"

#include <array>
#include <fmt/format.h>

#include "base/text.hpp"
#include "manifest/forms.hpp"

namespace graft::manifest {

namespace {

struct TopFields {
  std::string api_version;
  Located<std::string> kind;
};

const Table<TopFields>& top_table() {
  static const Table<TopFields> table{
      {field("apiVersion", &TopFields::api_version, text_form(), required, "Always graftd/v1."),
       field("kind", &TopFields::kind, text_form(), required, "What the document declares.")},
      {{"substitute"}}};
  return table;
}

}  // namespace

const Table<MetadataFields>& metadata_table() {
  using M = MetadataFields;
  static const Table<M> table{
      {field("name", &M::name, text_form(), optional, "The name, for kinds that have one."),
       field("uid", &M::uid, text_form(), optional, "The uid, for kinds that have one (Folder, Dashboard)."),
       field("organization", &M::organization, text_form(), optional,
             "The organization that the resource lives in, by name. Required for all kinds but Organization."),
       field("labels", &M::labels, text_map_form(), optional, "Free words for your own use."),
       field("annotations", &M::annotations, text_map_form(), optional,
             "Free words for your own use. Keys that begin with graftd/ are reserved.")},
      {{"organizations"}, {"organizationSelector"}, {"substitute"}}};
  return table;
}

Belongs classify(const Node& document, Diagnostics& diagnostics) {
  const Node* version = document.type == Node::Type::map ? document.find("apiVersion") : nullptr;
  if (version == nullptr || version->type != Node::Type::string) return Belongs::to_others;
  const std::string_view text = version->scalar;
  if (text == api_version) return Belongs::to_us;
  const std::string_view group = text.substr(0, text.find('/'));
  if (!equal_ignoring_ascii_case(group, "graftd")) return Belongs::to_others;
  diagnostics.error(version->at,
                    fmt::format("apiVersion {} is not known to this version of graftd", graft::quote(text)),
                    fmt::format("write {}", api_version));
  return Belongs::to_us_but_wrong;
}

std::optional<Envelope> read_envelope(Node&& document, Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 2> beside{"metadata", "spec"};
  Reporter reporter(diagnostics, {});
  std::optional<TopFields> top = top_table().read(document, reporter, beside);
  const Node* metadata = document.find("metadata");
  Node none;
  none.at = document.at;
  std::optional<MetadataFields> fields = metadata_table().read(metadata != nullptr ? *metadata : none, reporter);
  if (!top || !fields) return std::nullopt;
  Envelope envelope{std::move(top->kind.value), top->kind.at, std::move(*fields), std::move(none)};
  for (auto& [key, value] : document.entries) {
    if (key.scalar == "spec") envelope.spec = std::move(value);
  }
  return envelope;
}

bool check_annotations(const std::map<std::string, std::string>& annotations, const Position& at, Reporter& reporter) {
  bool sound = true;
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with("graftd/")) continue;
    reporter.error(at,
                   fmt::format("the annotation {} is not supported yet by this version of graftd", graft::quote(key)),
                   "take it out; annotations of your own may have any key that does not begin with graftd/");
    sound = false;
  }
  return sound;
}

}  // namespace graft::manifest
