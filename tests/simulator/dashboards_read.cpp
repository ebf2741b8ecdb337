// /api/dashboards/uid/:uid: reading, the history, deleting.
#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "slug.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

// The dashboard in the path when the caller may do that with it.
std::variant<ResourcePtr, Reply> dashboard_in_path(const Call& call, Level needed, const char* permission) {
  auto found = call.world.resources.find(Kind::dashboard, call.caller.org, call.name("uid"));
  if (found == nullptr && call.caller.has(Role::admin)) return message_reply(404, "Dashboard not found");
  if (found == nullptr || level_of(call.world, call.caller, *found) < needed) return access_denied(permission);
  return found;
}

std::string name_of(const World& world, const std::string& author) {
  for (const auto& [id, user] : world.users) {
    if (author == "user:" + user.uid) return user.login;
  }
  for (const auto& [id, account] : world.accounts) {
    if (author == "service-account:" + account.uid) return account.name;
  }
  return "Anonymous";
}

Json annotation_rights(bool may) {
  const Json rights = {{"canAdd", may}, {"canEdit", may}, {"canDelete", may}};
  return {{"dashboard", rights}, {"organization", rights}};
}

void add_folder(const World& world, const Resource& dashboard, Json& meta) {
  const std::string uid = dashboard.folder();
  const auto folder = uid.empty() ? nullptr : world.resources.find(Kind::folder, dashboard.org, uid);
  meta["folderId"] = folder == nullptr ? 0 : folder->internal_id();
  meta["folderUid"] = uid;
  meta["folderTitle"] = folder == nullptr ? "General" : folder->title();
  meta["folderUrl"] = folder == nullptr ? "" : "/dashboards/f/" + uid + "/" + slug_of(folder->title());
}

Json meta_json(const Call& call, const Resource& dashboard) {
  const Level level = level_of(call.world, call.caller, dashboard);
  const std::string updated = dashboard.annotated(annotation::updated_at);
  // Who made a dashboard is told only once somebody changed it.
  const bool changed = !updated.empty();
  const std::string slug = slug_of(dashboard.title());
  Json meta = {{"type", "db"},
               {"canSave", level >= Level::edit},
               {"canEdit", level >= Level::edit},
               {"canAdmin", level >= Level::admin},
               {"canStar", true},
               {"canDelete", level >= Level::edit},
               {"slug", slug},
               {"url", "/d/" + dashboard.name + "/" + slug},
               {"expires", "0001-01-01T00:00:00Z"},
               {"created", rfc3339(dashboard.created)},
               {"updated", changed ? updated : rfc3339(dashboard.created)},
               {"updatedBy", changed ? name_of(call.world, dashboard.annotated(annotation::updated_by)) : "Anonymous"},
               {"createdBy", changed ? name_of(call.world, dashboard.annotated(annotation::created_by)) : "Anonymous"},
               {"version", dashboard.generation},
               {"hasAcl", false},
               {"isFolder", false},
               {"apiVersion", "v0alpha1"},
               {"provisioned", false},
               {"provisionedExternalId", ""},
               {"annotationsPermissions", annotation_rights(level >= Level::edit)}};
  add_folder(call.world, dashboard, meta);
  return meta;
}

}  // namespace

Reply get_dashboard(Call& call) {
  const auto found = dashboard_in_path(call, Level::view, "dashboards:read");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const Resource& dashboard = *std::get<ResourcePtr>(found);
  Json content = dashboard.spec;
  content["id"] = dashboard.internal_id();
  content["uid"] = dashboard.name;
  content["version"] = dashboard.generation;
  return json_reply({{"meta", meta_json(call, dashboard)}, {"dashboard", content}});
}

Reply delete_dashboard(Call& call) {
  const auto found = dashboard_in_path(call, Level::edit, "dashboards:delete");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const auto dashboard = std::get<ResourcePtr>(found);
  const std::string title = dashboard->title();
  call.world.resources.remove(*dashboard, call.caller.subject);
  return json_reply({{"title", title}, {"message", "Dashboard " + title + " deleted"}, {"uid", dashboard->name}});
}

Reply list_dashboard_versions(Call& call) {
  const auto found = dashboard_in_path(call, Level::edit, "dashboards:write");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const Resource& dashboard = *std::get<ResourcePtr>(found);
  const auto history = call.world.resources.history(Kind::dashboard, dashboard.org, dashboard.name);
  Json versions = Json::array();
  for (auto entry = history.rbegin(); entry != history.rend(); ++entry) {
    const Resource& old = **entry;
    const std::string updated = old.annotated(annotation::updated_at);
    const std::string by = old.annotated(updated.empty() ? annotation::created_by : annotation::updated_by);
    Json data = old.spec;
    data["uid"] = old.name;
    data["version"] = old.generation;
    versions.push_back({{"id", old.generation},
                        {"dashboardId", old.internal_id()},
                        {"uid", old.name},
                        {"parentVersion", old.generation - 1},
                        {"restoredFrom", 0},
                        {"version", old.generation},
                        {"created", updated.empty() ? rfc3339(old.created) : updated},
                        {"message", old.generation == 1 ? "Initial save" : old.annotated(annotation::message)},
                        {"data", data},
                        {"createdBy", name_of(call.world, by)}});
  }
  return json_reply({{"continueToken", ""}, {"versions", versions}});
}

}  // namespace graft::simulator
