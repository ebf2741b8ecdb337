#include "resources.hpp"

#include <algorithm>
#include <iterator>

#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::size_t kept_snapshots = 32;

bool is_kept_by_server(const std::string& key) {
  return key == annotation::created_by || key == annotation::updated_by || key == annotation::updated_at;
}

// What a client may say about an object: the server's own annotations, and the one that only asks for permissions, go.
Texts client_annotations(const Texts& sent) {
  Texts kept = sent;
  std::erase_if(kept, [](const auto& item) {
    return is_kept_by_server(item.first) || item.first == annotation::grant_permissions ||
           (item.first == annotation::folder && item.second.empty());
  });
  return kept;
}

// uid, version and a numeric id are no part of a dashboard; the id becomes the internal id.
std::int64_t strip_identity(Json& spec) {
  if (!spec.is_object()) return 0;
  spec.erase("uid");
  spec.erase("version");
  const auto id = spec.find("id");
  if (id == spec.end() || !id->is_number()) return 0;
  const auto number = static_cast<std::int64_t>(id->get<double>());
  spec.erase(id);
  return number;
}

Json metadata_json(const Texts& labels, const Texts& annotations, const std::string& generate_name) {
  Json metadata = Json::object();
  if (!labels.empty()) metadata["labels"] = labels;
  if (!annotations.empty()) metadata["annotations"] = annotations;
  if (!generate_name.empty()) metadata["generateName"] = generate_name;
  return metadata;
}

Json content_json(const Json& metadata, const Json& spec) {
  Json content = {{"spec", spec}};
  // An empty map would count as a field of its own.
  if (!metadata.empty()) content["metadata"] = metadata;
  return content;
}

Json as_sent(const Draft& draft) {
  return content_json(metadata_json(draft.labels, draft.annotations, draft.generate_name), draft.spec);
}

Json as_stored(const Resource& resource) {
  return content_json(metadata_json(resource.labels, resource.annotations, ""), resource.spec);
}

}  // namespace

std::string Resource::annotated(const std::string& key) const {
  const auto found = annotations.find(key);
  return found == annotations.end() ? std::string() : found->second;
}

std::string Resource::title() const {
  const auto found = spec.is_object() ? spec.find("title") : spec.end();
  return found != spec.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t Resource::internal_id() const {
  const auto found = labels.find(internal_id_label);
  return found == labels.end() ? 0 : to_integer(found->second).value_or(0);
}

Resources::Resources(const Clock& clock)
    : clock_(clock), last_version_(static_cast<std::uint64_t>(microseconds(clock.now()))) {}

const Resources::Shelf* Resources::shelf(Kind kind, std::int64_t org) const {
  const auto found = shelves_.find({kind, org});
  return found == shelves_.end() ? nullptr : &found->second;
}

ResourcePtr Resources::find(Kind kind, std::int64_t org, const std::string& name) const {
  const Shelf* items = shelf(kind, org);
  if (items == nullptr) return nullptr;
  const auto found = items->items.find(name);
  return found == items->items.end() ? nullptr : found->second;
}

std::vector<ResourcePtr> Resources::all(Kind kind, std::int64_t org) const {
  std::vector<ResourcePtr> list;
  if (const Shelf* items = shelf(kind, org)) {
    for (const auto& [name, item] : items->items) list.push_back(item);
  }
  return list;
}

std::vector<ResourcePtr> Resources::trash(Kind kind, std::int64_t org) const {
  const Shelf* items = shelf(kind, org);
  return items == nullptr ? std::vector<ResourcePtr>() : items->trash;
}

std::vector<ResourcePtr> Resources::history(Kind kind, std::int64_t org, const std::string& name) const {
  const Shelf* items = shelf(kind, org);
  if (items == nullptr) return {};
  const auto found = items->history.find(name);
  return found == items->history.end() ? std::vector<ResourcePtr>() : found->second;
}

std::uint64_t Resources::next_version() {
  last_version_ = std::max(last_version_ + 1, static_cast<std::uint64_t>(microseconds(clock_.now())));
  return last_version_;
}

Resource Resources::created(Kind kind, std::int64_t org, const Draft& draft) {
  Resource next;
  next.kind = kind;
  next.org = org;
  next.name = draft.name;
  next.uid = random_uuid();
  next.stored_as = draft.writer.api_version.substr(draft.writer.api_version.find('/') + 1);
  next.created = clock_.now();
  next.labels = draft.labels;
  next.annotations = client_annotations(draft.annotations);
  next.annotations[annotation::created_by] = draft.author;
  next.spec = draft.converted.value_or(draft.spec);
  next.default_permissions = draft.default_permissions;
  next.owners = updated_owners({}, Json::object(), as_sent(draft), draft.writer, clock_.now());
  std::int64_t id = kind == Kind::dashboard ? strip_identity(next.spec) : 0;
  if (id == 0) {
    // Grafana's generator: the milliseconds since 2010 with a counter below, hence 16 digits.
    id = std::max(last_internal_id_ + 1, (microseconds(clock_.now()) / 1000 - 1288834974657) << 13U);
    last_internal_id_ = id;
  }
  next.labels[internal_id_label] = std::to_string(id);
  return next;
}

Resource Resources::updated(const Resource& current, const Draft& draft) const {
  Resource next = current;
  next.stored_as = draft.writer.api_version.substr(draft.writer.api_version.find('/') + 1);
  next.labels = draft.labels;
  next.annotations = client_annotations(draft.annotations);
  for (const auto& [key, value] : current.annotations) {
    if (is_kept_by_server(key)) next.annotations[key] = value;
  }
  next.spec = draft.converted.value_or(draft.spec);
  const std::int64_t id = current.kind == Kind::dashboard ? strip_identity(next.spec) : 0;
  next.labels[internal_id_label] = std::to_string(id != 0 ? id : current.internal_id());
  next.owners = updated_owners(current.owners, as_stored(current), as_sent(draft), draft.writer, clock_.now());
  if (next.spec != current.spec || next.folder() != current.folder()) {
    ++next.generation;
    next.annotations[annotation::updated_by] = draft.author;
    next.annotations[annotation::updated_at] = rfc3339(clock_.now());
  }
  return next;
}

bool Resources::differs(const Resource& current, const Resource& next) {
  return next.spec != current.spec || next.annotations != current.annotations || next.labels != current.labels ||
         next.stored_as != current.stored_as || !same_fields(next.owners, current.owners);
}

ResourcePtr Resources::store(Resource resource) {
  Shelf& shelf = shelves_[{resource.kind, resource.org}];
  resource.version = next_version();
  const auto stored = std::make_shared<const Resource>(std::move(resource));
  auto& history = shelf.history[stored->name];
  if (stored->generation == 1 && !shelf.items.contains(stored->name)) history.clear();
  history.push_back(stored);
  std::erase_if(shelf.trash, [&](const ResourcePtr& item) { return item->name == stored->name; });
  shelf.items[stored->name] = stored;
  return stored;
}

void Resources::remove(const Resource& resource, const std::string& author) {
  Shelf& shelf = shelves_[{resource.kind, resource.org}];
  Resource gone = resource;
  gone.deleted = clock_.now();
  gone.generation = -999;
  gone.version = next_version();
  gone.owners.clear();
  gone.annotations[annotation::updated_by] = author;
  gone.annotations[annotation::updated_at] = rfc3339(clock_.now());
  const std::string name = resource.name;
  shelf.items.erase(name);
  if (resource.kind == Kind::dashboard) shelf.trash.push_back(std::make_shared<const Resource>(std::move(gone)));
}

void Resources::remove_all(std::int64_t org) {
  shelves_.erase({Kind::dashboard, org});
  shelves_.erase({Kind::folder, org});
}

std::uint64_t Resources::keep_snapshot(Kind kind, std::int64_t org) {
  // A list is as new as one version after the last write, the writes of other organizations included.
  const std::uint64_t version = last_version_ + 1;
  auto& snapshots = shelves_[{kind, org}].snapshots;
  snapshots[version] = all(kind, org);
  if (snapshots.size() > kept_snapshots) snapshots.erase(snapshots.begin());
  return version;
}

std::optional<std::vector<ResourcePtr>> Resources::snapshot(Kind kind, std::int64_t org, std::uint64_t version) const {
  const Shelf* items = shelf(kind, org);
  if (items == nullptr || !items->snapshots.contains(version)) return std::nullopt;
  return items->snapshots.at(version);
}

}  // namespace graft::simulator
