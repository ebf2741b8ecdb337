#include "manifest/expand.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "manifest/cursor.hpp"
#include "manifest/envelope.hpp"
#include "manifest/forms.hpp"
#include "manifest/names.hpp"

namespace graft::manifest {

namespace {

ResourceKey key_of(const Decoder& decoder, const Metadata& metadata) {
  ResourceKey key{decoder.kind(), decoder.server_wide() ? metadata.name : metadata.organization, metadata.name};
  if (!metadata.account.empty()) key.name = metadata.account + "/" + metadata.name;
  return key;
}

std::string subject(const Decoder& decoder, const Metadata& metadata) {
  if (metadata.name.empty()) return std::string(decoder.kind().text());
  return printable(key_of(decoder, metadata).to_string());
}

// The identity of a standalone document, from metadata.name or metadata.uid, whichever the kind has.
bool take_identity(const Decoder& decoder, const MetadataFields& fields, Metadata& metadata, Reporter& reporter) {
  bool sound = true;
  for (const auto& [label, given] : {std::pair<std::string_view, const Located<std::string>&>{"name", fields.name},
                                     std::pair<std::string_view, const Located<std::string>&>{"uid", fields.uid}}) {
    if (!given.given()) continue;
    if (label == decoder.identity()) {
      metadata.name = given.value;
      metadata.name_at = given.at;
      continue;
    }
    sound = false;
    const std::string hint = decoder.identity().empty() ? "take it out; the spec says who is meant"
                                                        : fmt::format("use metadata.{}", decoder.identity());
    reporter.error(given.at, fmt::format("{} has no metadata.{}", decoder.kind().text(), label), hint);
  }
  return sound;
}

bool take_organization(const Decoder& decoder, const MetadataFields& fields, Metadata& metadata, Reporter& reporter) {
  const Located<std::string>& given = fields.organization;
  if (decoder.server_wide()) {
    if (!given.given()) return true;
    reporter.error(given.at, fmt::format("{} lives in no organization", decoder.kind().text()),
                   "take metadata.organization out");
    return false;
  }
  if (!given.given()) {
    reporter.error(metadata.at, fmt::format("{} does not say its organization", decoder.kind().text()),
                   "add metadata.organization, or nest it in its Organization document");
    return false;
  }
  metadata.organization = given.value;
  metadata.organization_at = given.at;
  return check_name(given.value, "metadata.organization", given.at, reporter);
}

// An item of a child list, split into what is metadata in the standalone form, and the rest.
struct Item {
  Located<std::string> identity;
  std::map<std::string, std::string> labels, annotations;
  Position annotations_at;
  Node spec;
  bool sound = true;
};

Item split(const Decoder& decoder, const Node& node, Reporter& reporter) {
  Item item;
  item.spec.type = Node::Type::map;
  item.spec.at = node.at;
  for (const auto& [key, value] : node.entries) {
    if (key.scalar == decoder.identity()) {
      item.identity.at = value.at;
      item.sound = is_text(value, key.scalar, reporter) && item.sound;
      item.identity.value = value.scalar;
    } else if (key.scalar == "labels") {
      item.sound = text_map_form().read(value, "labels", item.labels, reporter) && item.sound;
    } else if (key.scalar == "annotations") {
      item.annotations_at = value.at;
      item.sound = text_map_form().read(value, "annotations", item.annotations, reporter) && item.sound;
    } else {
      item.spec.entries.emplace_back(key, value);
    }
  }
  return item;
}

}  // namespace

const Decoder* Expander::find(const std::string& kind, const Position& at) {
  std::vector<std::string_view> kinds;
  for (const Decoder* decoder : decoders_) {
    if (decoder->kind().text() == kind) return decoder;
    kinds.push_back(decoder->kind().text());
  }
  const auto near = did_you_mean(kind, kinds);
  diagnostics_.error(at, fmt::format("unknown kind {}", graft::quote(kind)),
                     near ? fmt::format("did you mean {}?", *near) : fmt::format("known: {}", fmt::join(kinds, ", ")));
  return nullptr;
}

void Expander::document(Node&& document, const std::string& path) {
  const Position at = document.at;
  std::optional<Envelope> envelope = read_envelope(std::move(document), diagnostics_);
  if (!envelope) return;
  const Decoder* decoder = find(envelope->kind, envelope->kind_at);
  if (decoder == nullptr) return;
  const MetadataFields& fields = envelope->metadata;
  Metadata metadata;
  metadata.at = at;
  metadata.organization = fields.organization.value;
  metadata.name = decoder->identity() == "uid" ? fields.uid.value : fields.name.value;
  Reporter reporter(diagnostics_, subject(*decoder, metadata));
  attempted_.insert(key_of(*decoder, metadata));
  bool sound = take_identity(*decoder, fields, metadata, reporter);
  sound = take_organization(*decoder, fields, metadata, reporter) && sound;
  sound = check_annotations(fields.annotations.value, fields.annotations.at, reporter) && sound;
  if (sound) resource(*decoder, std::move(metadata), std::move(envelope->spec), {}, path);
}

std::vector<Expander::Child> Expander::take_children(const Decoder& parent, Node& spec) const {
  std::vector<Child> found;
  std::erase_if(spec.entries, [&](auto& entry) {
    const auto child = std::find_if(decoders_.begin(), decoders_.end(), [&](const Decoder* decoder) {
      return !decoder->nested_as().empty() && decoder->nested_in() == parent.kind() &&
             decoder->nested_as() == entry.key.scalar;
    });
    if (child == decoders_.end()) return false;
    found.push_back({*child, std::move(entry.value)});
    return true;
  });
  return found;
}

void Expander::resource(const Decoder& decoder, Metadata metadata, Node spec, std::vector<std::string_view> inline_keys,
                        const std::string& path) {
  const std::vector<Child> nested_lists = take_children(decoder, spec);
  for (const Decoder* other : decoders_) {
    if (!other->nested_as().empty() && other->nested_in() == decoder.kind()) inline_keys.push_back(other->nested_as());
  }
  Context context{files_, path, diagnostics_, out_, inline_keys};
  decoder.decode(metadata, spec, context);
  if (metadata.name.empty()) return;  // reported by the decoder; its children would only repeat it
  for (const Child& child : nested_lists) children(child, metadata, path);
}

void Expander::children(const Child& child, const Metadata& parent, const std::string& path) {
  const std::string_view label = child.decoder->nested_as();
  Reporter reporter(diagnostics_, parent.organization.empty() ? parent.name : parent.organization);
  if (child.list.type == Node::Type::null) return;  // "folders:" with nothing below it
  if (child.list.type != Node::Type::sequence) {
    reporter.error(child.list.at, fmt::format("{}: expected a list, found {}", label, Node::word(child.list.type)),
                   "begin each entry with \"- \"");
    return;
  }
  for (const Node& item : child.list.items) {
    if (item.type == Node::Type::map) {
      nested(*child.decoder, item, parent, path);
    } else {
      reporter.error(item.at, fmt::format("{}: expected a map, found {}", label, Node::word(item.type)));
    }
  }
}

void Expander::nested(const Decoder& decoder, const Node& node, const Metadata& parent, const std::string& path) {
  Metadata metadata;
  metadata.at = node.at;
  metadata.organization = decoder.nested_in() == kind_organization ? parent.name : parent.organization;
  metadata.organization_at = parent.organization_at.known() ? parent.organization_at : parent.name_at;
  if (decoder.nested_in() != kind_organization) metadata.account = parent.name;
  const Node* identity = decoder.identity().empty() ? nullptr : node.find(decoder.identity());
  if (identity != nullptr) metadata.name = identity->scalar;
  attempted_.insert(key_of(decoder, metadata));
  Reporter reporter(diagnostics_, subject(decoder, metadata));
  Item item = split(decoder, node, reporter);
  metadata.name_at = item.identity.at;
  item.sound = check_annotations(item.annotations, item.annotations_at, reporter) && item.sound;
  std::vector<std::string_view> beside{"labels", "annotations"};
  if (!decoder.identity().empty()) beside.push_back(decoder.identity());
  if (item.sound) resource(decoder, std::move(metadata), std::move(item.spec), std::move(beside), path);
}

}  // namespace graft::manifest
