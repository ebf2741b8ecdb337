// POST /api/dashboards/db: the older way to write a dashboard, over the same storage.
#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "slug.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::size_t max_body = std::size_t{16} << 20U;

struct Save {
  Json dashboard = Json::object();
  std::string folder;
  std::string message;
  bool overwrite = false;
  bool is_folder = false;
};

std::optional<Save> read_body(const Request& request) {
  const auto body = struct_body(request);
  const Json* dashboard = body ? field(*body, "dashboard") : nullptr;
  if (dashboard == nullptr) return std::nullopt;
  bool bad = false;
  Save save;
  if (dashboard->is_object()) save.dashboard = with_float64_numbers(*dashboard);
  save.folder = string_field(*body, "folderUid", bad);
  save.message = string_field(*body, "message", bad);
  save.overwrite = bool_field(*body, "overwrite", bad);
  save.is_folder = bool_field(*body, "isFolder", bad);
  if (bad) return std::nullopt;
  return save;
}

// A whole Kubernetes-style object in place of a dashboard is unwrapped.
void unwrap(Json& dashboard) {
  const bool wrapped = dashboard.contains("apiVersion") && dashboard.contains("spec") &&
                       dashboard.contains("metadata") && dashboard["spec"].is_object() &&
                       dashboard["metadata"].is_object();
  if (!wrapped) return;
  Json spec = dashboard["spec"];
  if (dashboard["metadata"].contains("name")) spec["uid"] = dashboard["metadata"]["name"];
  dashboard = spec;
}

std::string text_of(const Json& dashboard, const char* key) {
  const auto found = dashboard.find(key);
  return found != dashboard.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& dashboard, const char* key) {
  const auto found = dashboard.find(key);
  return found != dashboard.end() && found->is_number() ? static_cast<std::int64_t>(found->get<double>()) : 0;
}

ResourcePtr with_id(const Call& call, std::int64_t id) {
  for (const ResourcePtr& item : call.world.resources.all(Kind::dashboard, call.caller.org)) {
    if (item->internal_id() == id) return item;
  }
  return nullptr;
}

// Below the minimum the refresh is raised to it and nobody is told.
void raise_refresh(const World& world, Json& dashboard) {
  if (is_refresh_too_low(world, dashboard)) dashboard["refresh"] = world.settings.min_refresh_interval;
}

Reply legacy_problem(const Problem& problem) {
  if (!problem.legacy_status.empty()) return folder_reply(problem.code, problem.legacy_status, problem.message);
  return message_reply(problem.code, problem.message);
}

Reply saved_reply(const Resource& stored) {
  const std::string slug = slug_of(stored.title());
  return json_reply({{"status", "success"},
                     {"slug", slug},
                     {"version", stored.generation},
                     {"id", stored.internal_id()},
                     {"uid", stored.name},
                     {"url", "/d/" + stored.name + "/" + slug},
                     {"folderUid", stored.folder()}});
}

// The stored dashboard that a post is about: by its numeric id, else by its uid; nothing for a new one.
std::variant<ResourcePtr, Reply> target_of(const Call& call, const Json& dashboard) {
  const std::string uid = text_of(dashboard, "uid");
  const std::int64_t id = number_of(dashboard, "id");
  if (id != 0) {
    auto by_id = with_id(call, id);
    if (by_id == nullptr) return folder_reply(404, "not-found", "Dashboard not found");
    if (!uid.empty() && uid != by_id->name) return message_reply(400, "A dashboard with the same uid already exists");
    return by_id;
  }
  return uid.empty() ? nullptr : call.world.resources.find(Kind::dashboard, call.caller.org, uid);
}

std::optional<Reply> refused_for(const Call& call, const ResourcePtr& current, const std::string& folder) {
  const bool may = current != nullptr ? level_of(call.world, call.caller, *current) >= Level::edit
                                      : level_in(call.world, call.caller, folder) >= Level::edit;
  if (may) return std::nullopt;
  return message_reply(403, "Access denied to save dashboard");
}

Draft draft_of(const Call& call, const Save& save, const ResourcePtr& current) {
  Draft draft;
  draft.name = current != nullptr ? current->name : text_of(save.dashboard, "uid");
  draft.spec = save.dashboard;
  if (!save.folder.empty()) draft.annotations[annotation::folder] = save.folder;
  if (!save.message.empty()) draft.annotations[annotation::message] = save.message;
  draft.writer = {"grafana", dashboards.api_version()};
  draft.author = call.caller.subject;
  draft.default_permissions = true;
  return draft;
}

Reply store_new(Call& call, Draft draft) {
  if (draft.name.empty()) draft.name = random_uuid();
  draft.spec["uid"] = draft.name;
  draft.spec["version"] = 0;
  if (number_of(draft.spec, "id") == 0 && draft.spec.contains("id") && draft.spec["id"].is_number())
    draft.spec.erase("id");
  return saved_reply(
      *call.world.resources.store(call.world.resources.created(Kind::dashboard, call.caller.org, draft)));
}

Reply store_again(Call& call, const Resource& current, Draft draft) {
  draft.spec["uid"] = current.name;
  draft.spec["version"] = static_cast<double>(current.generation);
  draft.spec["id"] = static_cast<double>(current.internal_id());
  Resource next = call.world.resources.updated(current, draft);
  if (!Resources::differs(current, next)) return saved_reply(current);
  return saved_reply(*call.world.resources.store(std::move(next)));
}

// Whether this caller has any right to write a dashboard at all; who has none is stopped before the handler looks.
bool writes_anything(const Call& call) {
  if (call.caller.has(Role::editor)) return true;
  for (const Kind kind : {Kind::folder, Kind::dashboard}) {
    for (const ResourcePtr& item : call.world.resources.all(kind, call.caller.org)) {
      if (level_of(call.world, call.caller, *item) >= Level::edit) return true;
    }
  }
  return false;
}

}  // namespace

Reply save_dashboard(Call& call) {
  if (!writes_anything(call)) return access_denied("any of dashboards:create, dashboards:write");
  if (call.request.body.size() > max_body) return message_reply(413, "Dashboard is too large, max is 16 MB");
  auto save = read_body(call.request);
  if (!save) return bad_request();
  if (save->is_folder) return message_reply(400, "Use folders endpoint for saving folders.");
  unwrap(save->dashboard);
  const auto found = target_of(call, save->dashboard);
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const auto& current = std::get<ResourcePtr>(found);
  if (save->dashboard.contains("title") && save->dashboard["title"].is_string()) {
    save->dashboard["title"] = trim(text_of(save->dashboard, "title"));
  }
  raise_refresh(call.world, save->dashboard);
  Draft draft = draft_of(call, *save, current);
  const auto problem = dashboard_problem(call.world, call.caller.org, draft);
  const bool about_folder = problem && problem->code == 404;
  if (problem && !about_folder) return legacy_problem(*problem);
  if (const auto refused = refused_for(call, current, about_folder ? "" : save->folder)) return *refused;
  // The name of the root as a folder is another error than that of any missing folder.
  if (about_folder) {
    return save->folder == "general" ? legacy_problem(*problem) : message_reply(400, "folder not found");
  }
  if (current == nullptr) return store_new(call, std::move(draft));
  if (!save->overwrite && number_of(save->dashboard, "version") != current->generation) {
    return folder_reply(412, "version-mismatch", "The dashboard has been changed by someone else");
  }
  return store_again(call, *current, std::move(draft));
}

}  // namespace graft::simulator
