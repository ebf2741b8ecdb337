// The permissions of a folder or dashboard: only those Grafana gives when one is made, for nothing here changes them.
#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "slug.hpp"
#include "user_json.hpp"

namespace graft::simulator {
namespace {

struct Named {
  int value;
  const char* name;
};

Json entry(const Resource& resource, Named permission) {
  const bool folder = resource.kind == Kind::folder;
  const std::string slug = slug_of(resource.title());
  return {{folder ? "folderId" : "dashboardId", resource.internal_id()},
          {"created", rfc3339(resource.created)},
          {"updated", rfc3339(resource.created)},
          {"userId", 0},
          {"userUid", ""},
          {"userLogin", ""},
          {"userEmail", ""},
          {"userAvatarUrl", avatar_url},
          {"teamId", 0},
          {"teamUid", ""},
          {"teamEmail", ""},
          {"teamAvatarUrl", ""},
          {"team", ""},
          {"permission", permission.value},
          {"permissionName", permission.name},
          {"uid", resource.name},
          {"title", resource.title()},
          {"slug", folder ? "" : slug},
          {"isFolder", folder},
          {"url", (folder ? "/dashboards/f/" : "/d/") + resource.name + "/" + slug},
          {"inherited", false}};
}

const User* author_of(const World& world, const Resource& resource) {
  for (const auto& [id, user] : world.users) {
    if (resource.annotated(annotation::created_by) == "user:" + user.uid) return &user;
  }
  return nullptr;
}

Json default_permissions(const World& world, const Resource& resource) {
  Json list = Json::array();
  if (!resource.default_permissions) return list;
  if (const User* author = author_of(world, resource)) {
    Json item = entry(resource, {4, "Admin"});
    item["userId"] = author->id;
    item["userLogin"] = author->login;
    item["userEmail"] = author->email;
    // A quirk: only folders tell the uid.
    if (resource.kind == Kind::folder) item["userUid"] = author->uid;
    list.push_back(item);
  }
  if (!resource.folder().empty()) return list;
  for (const auto& [role, permission] :
       {std::pair{"Editor", Named{2, "Edit"}}, std::pair{"Viewer", Named{1, "View"}}}) {
    Json item = entry(resource, permission);
    item["role"] = role;
    list.push_back(item);
  }
  return list;
}

}  // namespace

Reply folder_permissions(Call& call) {
  const auto found = call.world.resources.find(Kind::folder, call.caller.org, call.name("uid"));
  if (found == nullptr) return folder_reply(404, "not-found", "folder not found");
  return json_reply(default_permissions(call.world, *found));
}

Reply dashboard_permissions(Call& call) {
  const auto found = call.world.resources.find(Kind::dashboard, call.caller.org, call.name("uid"));
  if (found == nullptr) return message_reply(404, "Dashboard not found");
  return json_reply(default_permissions(call.world, *found));
}

}  // namespace graft::simulator
