#include "managed_fields.hpp"

#include <algorithm>
#include <tuple>

namespace graft::simulator {
namespace {

struct Difference {
  FieldSet written;  // added or changed
  FieldSet removed;
};

// metadata and spec are fixed fields of the schema and own nothing themselves; maps below them do (written as ".").
bool is_fixed(const FieldPath& path) {
  return path.empty() || (path.size() == 1 && (path[0] == "metadata" || path[0] == "spec"));
}

bool is_branch(const Json& value) { return value.is_object() && !value.empty(); }

void insert_all(const FieldPath& path, const Json& value, FieldSet& set) {
  if (!is_branch(value)) {
    set.insert(path);
    return;
  }
  if (!is_fixed(path)) set.insert(path);
  for (const auto& [key, item] : value.items()) {
    FieldPath below = path;
    below.push_back(key);
    insert_all(below, item, set);
  }
}

void compare(const FieldPath& path, const Json* before, const Json* after, Difference& difference) {
  if (before == nullptr || after == nullptr) {
    if (after != nullptr) insert_all(path, *after, difference.written);
    if (before != nullptr) insert_all(path, *before, difference.removed);
    return;
  }
  if (!before->is_object() || !after->is_object() || (before->empty() && after->empty())) {
    if (*before != *after) difference.written.insert(path);
    return;
  }
  std::set<std::string> keys;
  for (const auto& item : before->items()) keys.insert(item.key());
  for (const auto& item : after->items()) keys.insert(item.key());
  for (const std::string& key : keys) {
    FieldPath below = path;
    below.push_back(key);
    const auto find = [&](const Json& object) { return object.contains(key) ? &object.at(key) : nullptr; };
    compare(below, find(*before), find(*after), difference);
  }
}

FieldSet without(const FieldSet& set, const FieldSet& taken) {
  FieldSet left;
  std::ranges::set_difference(set, taken, std::inserter(left, left.end()));
  return left;
}

void set_fields(ManagedFields& owner, FieldSet fields, Time now) {
  if (owner.fields == fields) return;
  owner.fields = std::move(fields);
  owner.time = now;
}

Json fields_v1(const FieldSet& fields) {
  Json root = Json::object();
  for (const FieldPath& path : fields) {
    Json* node = &root;
    for (const std::string& name : path) node = &((*node)["f:" + name]);
    if (node->is_null()) *node = Json::object();
  }
  // A path that is owned itself and has owned paths below is marked by a dot.
  for (const FieldPath& path : fields) {
    Json* node = &root;
    for (const std::string& name : path) node = &((*node)["f:" + name]);
    if (!node->empty()) (*node)["."] = Json::object();
  }
  return root;
}

}  // namespace

std::vector<ManagedFields> updated_owners(const std::vector<ManagedFields>& owners, const Json& before,
                                          const Json& after, const Writer& writer, Time now) {
  Difference difference;
  compare({}, &before, &after, difference);
  const auto is_writer = [&](const ManagedFields& owner) {
    return owner.manager == writer.manager && owner.api_version == writer.api_version;
  };
  std::vector<ManagedFields> next = owners;
  for (ManagedFields& owner : next) {
    if (is_writer(owner)) continue;
    FieldSet kept = without(without(owner.fields, difference.written), difference.removed);
    // Losing fields does not touch the time of an owner.
    owner.fields = std::move(kept);
  }
  auto own = std::ranges::find_if(next, is_writer);
  if (own == next.end()) own = next.insert(own, {writer.manager, writer.api_version, now, {}});
  FieldSet fields = without(own->fields, difference.removed);
  fields.insert(difference.written.begin(), difference.written.end());
  set_fields(*own, std::move(fields), now);
  std::erase_if(next, [](const ManagedFields& owner) { return owner.fields.empty(); });
  std::ranges::sort(next, [](const ManagedFields& a, const ManagedFields& b) {
    const auto seconds = [](Time time) { return std::chrono::floor<std::chrono::seconds>(time); };
    return std::tuple(seconds(a.time), a.manager, a.api_version) <
           std::tuple(seconds(b.time), b.manager, b.api_version);
  });
  return next;
}

bool same_fields(const std::vector<ManagedFields>& left, const std::vector<ManagedFields>& right) {
  const auto same = [](const ManagedFields& a, const ManagedFields& b) {
    return a.manager == b.manager && a.api_version == b.api_version && a.fields == b.fields;
  };
  return std::ranges::equal(left, right, same);
}

Json to_json(const std::vector<ManagedFields>& owners) {
  Json list = Json::array();
  for (const ManagedFields& owner : owners) {
    list.push_back({{"manager", owner.manager},
                    {"operation", "Update"},
                    {"apiVersion", owner.api_version},
                    {"time", rfc3339(owner.time)},
                    {"fieldsType", "FieldsV1"},
                    {"fieldsV1", fields_v1(owner.fields)}});
  }
  return list;
}

}  // namespace graft::simulator
