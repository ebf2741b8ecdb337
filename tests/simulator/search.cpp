// GET /api/search: dashboards and folders of one organization, without versions or times.
#include <algorithm>
#include <tuple>

#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "slug.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::int64_t max_limit = 5000;
constexpr std::int64_t default_limit = 1000;

Json tags_of(const Resource& resource) {
  Json tags = Json::array();
  const auto found = resource.spec.find("tags");
  if (found == resource.spec.end() || !found->is_array()) return tags;
  for (const Json& tag : *found) {
    if (tag.is_string()) tags.push_back(tag);
  }
  return tags;
}

Json hit(const World& world, const Resource& resource) {
  const bool folder = resource.kind == Kind::folder;
  const std::string slug = slug_of(resource.title());
  Json shown = {{"id", resource.internal_id()},
                {"uid", resource.name},
                {"orgId", resource.org},
                {"title", resource.title()},
                {"uri", "db/" + slug},
                {"url", (folder ? "/dashboards/f/" : "/d/") + resource.name + "/" + slug},
                {"slug", ""},
                {"type", folder ? "dash-folder" : "dash-db"},
                {"tags", folder ? Json::array() : tags_of(resource)},
                {"isStarred", false},
                {"sortMeta", 0},
                {"isDeleted", false}};
  const auto description = resource.spec.find("description");
  // Told of dashboards only.
  if (!folder && description != resource.spec.end() && description->is_string() &&
      !description->get<std::string>().empty()) {
    shown["description"] = *description;
  }
  const std::string parent = resource.folder();
  if (parent.empty()) return shown;
  shown["folderUid"] = parent;
  if (const auto above = world.resources.find(Kind::folder, resource.org, parent)) {
    shown["folderId"] = above->internal_id();
    shown["folderTitle"] = above->title();
    shown["folderUrl"] = "/dashboards/f/" + parent + "/" + slug_of(above->title());
  }
  return shown;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

bool has_tags(const Resource& resource, const std::vector<std::string>& wanted) {
  const Json tags = tags_of(resource);
  return std::ranges::all_of(wanted,
                             [&](const std::string& tag) { return std::ranges::find(tags, Json(tag)) != tags.end(); });
}

bool is_wanted(const Call& call, const Resource& resource) {
  const Request& request = call.request;
  const std::string query = request.parameter("query");
  const auto folders_wanted = request.parameters("folderUIDs");
  const auto uids = request.parameters("dashboardUIDs");
  const std::string parent = resource.folder().empty() ? "general" : resource.folder();
  if (!folders_wanted.empty() && !contains(folders_wanted, parent)) return false;
  if (!uids.empty() && (resource.kind == Kind::folder || !contains(uids, resource.name))) return false;
  if (!has_tags(resource, request.parameters("tag"))) return false;
  if (!query.empty() && query != "*" && !contains_ignoring_case(resource.title(), query)) return false;
  const Level needed = request.parameter("permission") == "Edit" ? Level::edit : Level::view;
  return level_of(call.world, call.caller, resource) >= needed;
}

std::vector<ResourcePtr> found_for(const Call& call) {
  const std::string type = call.request.parameter("type");
  std::vector<ResourcePtr> found;
  for (const Kind kind : {Kind::folder, Kind::dashboard}) {
    if (!type.empty() && (type == "dash-folder") != (kind == Kind::folder)) continue;
    for (const ResourcePtr& item : call.world.resources.all(kind, call.caller.org)) {
      if (is_wanted(call, *item)) found.push_back(item);
    }
  }
  return found;
}

// By title; without an order asked for, folders come first.
void sort(std::vector<ResourcePtr>& found, const std::string& order) {
  const auto key = [&](const ResourcePtr& item) {
    const bool later = order.empty() && item->kind != Kind::folder;
    return std::tuple(later, lower_case(item->title()), item->name);
  };
  std::ranges::sort(found, {}, key);
  if (order == "alpha-desc") std::ranges::reverse(found);
}

}  // namespace

Reply search(Call& call) {
  const std::string type = call.request.parameter("type");
  if (!call.caller.role) return message_reply(500, "Search failed");
  for (const char* unknown : {"folderIds", "dashboardIds", "starred", "deleted"}) {
    if (call.request.has_parameter(unknown)) return not_simulated(std::string("a search with ") + unknown);
  }
  if (!type.empty() && type != "dash-db" && type != "dash-folder") return message_reply(500, "Search failed");
  auto limit = to_integer(call.request.parameter("limit")).value_or(0);
  if (limit <= 0) limit = default_limit;
  if (limit > max_limit) {
    return message_reply(422, "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit");
  }
  const auto page = std::max(to_integer(call.request.parameter("page")).value_or(1), std::int64_t{1});
  auto found = found_for(call);
  sort(found, call.request.parameter("sort"));
  Json hits = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (static_cast<std::int64_t>(i) / limit == page - 1) hits.push_back(hit(call.world, *found[i]));
  }
  return json_reply(hits);
}

}  // namespace graft::simulator
