// /api/folders: the older API over the same folders.
#include <algorithm>

#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "slug.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

const Writer legacy_writer{"grafana", folders.api_version()};

Reply no_such_folder() { return folder_reply(404, "not-found", "folder not found"); }

ResourcePtr find(const Call& call, const std::string& uid) {
  return call.world.resources.find(Kind::folder, call.caller.org, uid);
}

std::string url_of(const Resource& folder) { return "/dashboards/f/" + folder.name + "/" + slug_of(folder.title()); }

// The login behind an author; accounts and whoever is gone have none here.
std::string login_of(const World& world, const std::string& author) {
  for (const auto& [id, user] : world.users) {
    if (author == "user:" + user.uid) return user.login;
  }
  return "Anonymous";
}

Json short_json(const Call& call, const Resource& folder) {
  const Level level = level_of(call.world, call.caller, folder);
  const std::string updated = folder.annotated(annotation::updated_at);
  Json shown = {{"id", folder.internal_id()},
                {"uid", folder.name},
                {"orgId", folder.org},
                {"title", folder.title()},
                {"url", url_of(folder)},
                {"hasAcl", false},
                {"canSave", level >= Level::edit},
                {"canEdit", level >= Level::edit},
                {"canAdmin", level >= Level::admin},
                {"canDelete", level >= Level::edit},
                {"createdBy", login_of(call.world, folder.annotated(annotation::created_by))},
                {"created", rfc3339(folder.created)},
                {"updatedBy", login_of(call.world, folder.annotated(annotation::updated_by))},
                {"updated", updated.empty() ? rfc3339(folder.created) : updated},
                {"version", folder.generation}};
  const std::string manager = folder.annotated(annotation::managed_by);
  if (!manager.empty()) shown["managedBy"] = manager;
  return shown;
}

Reply full_reply(const Call& call, const Resource& folder) {
  Json shown = short_json(call, folder);
  if (!folder.folder().empty()) shown["parentUid"] = folder.folder();
  std::string above;
  Json parents = Json::array();
  for (const ResourcePtr& parent : ancestors(call.world, folder)) {
    Json item = short_json(call, *parent);
    if (!above.empty()) item["parentUid"] = above;
    above = parent->name;
    parents.push_back(item);
  }
  if (!parents.empty()) shown["parents"] = parents;
  return json_reply(shown);
}

// The folder in the path when the caller may do that with it. Who has no right to all folders is told 403 for a missing
// one.
std::variant<ResourcePtr, Reply> folder_in_path(const Call& call, Level needed, const char* permission) {
  auto found = find(call, call.name("uid"));
  const bool admin = call.caller.has(Role::admin);
  if (found == nullptr && admin) return no_such_folder();
  if (found == nullptr || level_of(call.world, call.caller, *found) < needed) return access_denied(permission);
  return found;
}

Reply legacy_problem(const Problem& problem) { return message_reply(problem.code, problem.message); }

Draft draft_of(const Call& call, const Resource& current) {
  Draft draft;
  draft.name = current.name;
  draft.labels = current.labels;
  draft.annotations = current.annotations;
  draft.spec = current.spec;
  draft.writer = legacy_writer;
  draft.author = call.caller.subject;
  return draft;
}

Reply write(Call& call, const Resource& current, const Draft& draft) {
  Resource next = call.world.resources.updated(current, draft);
  if (!Resources::differs(current, next)) return full_reply(call, current);
  return full_reply(call, *call.world.resources.store(std::move(next)));
}

Json list_item(const Resource& folder) {
  Json item = {{"id", folder.internal_id()}, {"uid", folder.name}, {"title", folder.title()}};
  if (!folder.folder().empty()) item["parentUid"] = folder.folder();
  const std::string manager = folder.annotated(annotation::managed_by);
  if (!manager.empty()) item["managedBy"] = manager;
  return item;
}

std::vector<Json> children_json(const Call& call, const std::string& parent) {
  std::vector<ResourcePtr> found;
  for (const ResourcePtr& item : call.world.resources.all(Kind::folder, call.caller.org)) {
    const Level needed = call.request.parameter("permission") == "Edit" ? Level::edit : Level::view;
    if (item->folder() == parent && level_of(call.world, call.caller, *item) >= needed) found.push_back(item);
  }
  std::ranges::sort(found, {},
                    [](const ResourcePtr& item) { return std::pair(lower_case(item->title()), item->name); });
  std::vector<Json> list;
  // Whoever may not see all folders is shown a folder for what was shared with him.
  if (parent.empty() && !call.caller.has(Role::admin)) {
    list.push_back({{"id", -1}, {"uid", "sharedwithme"}, {"title", "Shared with me"}});
  }
  for (const ResourcePtr& item : found) list.push_back(list_item(*item));
  return list;
}

}  // namespace

Reply list_folders(Call& call) {
  const std::string parent = call.request.parameter("parentUid");
  if (!parent.empty() && find(call, parent) == nullptr) return no_such_folder();
  const auto found = children_json(call, parent);
  auto limit = to_integer(call.request.parameter("limit")).value_or(0);
  if (limit <= 0) limit = 100000;
  const auto page = std::max(to_integer(call.request.parameter("page")).value_or(1), std::int64_t{1});
  Json shown = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (static_cast<std::int64_t>(i) / limit == page - 1) shown.push_back(found[i]);
  }
  return json_reply(shown);
}

Reply create_folder(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  Draft draft;
  std::string parent;
  if (body) {
    draft.name = string_field(*body, "uid", bad);
    draft.spec = {{"title", trim(string_field(*body, "title", bad))}};
    parent = string_field(*body, "parentUid", bad);
    const std::string description = string_field(*body, "description", bad);
    if (!description.empty()) draft.spec["description"] = description;
  }
  if (bad) return bad_request();
  if (draft.name == "sharedwithme") return coded_reply(400, "folder.bad-request", "BadRequest");
  if (draft.name.empty()) draft.name = short_uid();
  if (!parent.empty()) draft.annotations[annotation::folder] = parent;
  if (const auto problem = path_name_problem(Kind::folder, draft.name)) return legacy_problem(*problem);
  if (find(call, parent) != nullptr && level_in(call.world, call.caller, parent) < Level::edit) {
    return access_denied("folders:create");
  }
  if (const auto problem = new_folder_problem(call.world, call.caller.org, draft)) return legacy_problem(*problem);
  draft.default_permissions = parent.empty();
  draft.writer = legacy_writer;
  draft.author = call.caller.subject;
  return full_reply(call,
                    *call.world.resources.store(call.world.resources.created(Kind::folder, call.caller.org, draft)));
}

Reply get_folder(Call& call) {
  if (call.name("uid") == "general") {
    const bool edits = call.caller.has(Role::editor);
    return json_reply({{"id", 0},
                       {"uid", "general"},
                       {"orgId", 0},
                       {"title", "Dashboards"},
                       {"url", ""},
                       {"hasAcl", false},
                       {"canSave", edits},
                       {"canEdit", edits},
                       {"canAdmin", call.caller.has(Role::admin)},
                       {"canDelete", edits},
                       {"createdBy", "Anonymous"},
                       {"created", "0001-01-01T00:00:00Z"},
                       {"updatedBy", "Anonymous"},
                       {"updated", "0001-01-01T00:00:00Z"}});
  }
  const auto found = folder_in_path(call, Level::view, "folders:read");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  return full_reply(call, *std::get<ResourcePtr>(found));
}

Reply change_folder(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  if (bad) return bad_request();
  const auto found = folder_in_path(call, Level::edit, "folders:write");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const Resource& current = *std::get<ResourcePtr>(found);
  const std::string title = trim(string_field(*body, "title", bad));
  const bool overwrite = bool_field(*body, "overwrite", bad);
  const std::int64_t version = integer_field(*body, "version", bad);
  const Json* description = field(*body, "description");
  if (bad) return bad_request();
  if (!overwrite && version != current.generation) {
    return message_reply(412, "The dashboard has been changed by someone else");
  }
  if (title.empty()) return message_reply(400, "Dashboard title cannot be empty");
  if (ascii_lower(title) == "general") return message_reply(400, "A folder with that name already exists");
  Draft draft = draft_of(call, current);
  draft.spec["title"] = title;
  if (description != nullptr) draft.spec["description"] = *description;
  return write(call, current, draft);
}

Reply move_folder(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  const std::string parent = body ? string_field(*body, "parentUid", bad) : "";
  if (bad) return bad_request();
  const auto found = folder_in_path(call, Level::edit, "folders:write");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  const Resource& current = *std::get<ResourcePtr>(found);
  if (!parent.empty() && find(call, parent) == nullptr) return no_such_folder();
  Draft draft = draft_of(call, current);
  draft.annotations.erase(annotation::folder);
  if (!parent.empty()) draft.annotations[annotation::folder] = parent;
  if (const auto problem = changed_folder_problem(call.world, current, draft)) return legacy_problem(*problem);
  return write(call, current, draft);
}

Reply delete_folder(Call& call) {
  const auto found = find(call, call.name("uid"));
  if (found == nullptr && call.caller.has(Role::admin)) return legacy_problem(missing_folder(call.name("uid")));
  if (found == nullptr || level_of(call.world, call.caller, *found) < Level::edit) {
    return access_denied("folders:delete");
  }
  for (const ResourcePtr& item : subtree(call.world, found)) call.world.resources.remove(*item, call.caller.subject);
  return message_reply(200, "Folder deleted");
}

Reply count_in_folder(Call& call) {
  const auto found = folder_in_path(call, Level::view, "folders:read");
  if (const Reply* refused = std::get_if<Reply>(&found)) return *refused;
  std::map<Kind, std::int64_t> count;
  for (const ResourcePtr& item : subtree(call.world, std::get<ResourcePtr>(found))) ++count[item->kind];
  return json_reply({{"alertrule", 0},
                     {"dashboard", count[Kind::dashboard]},
                     {"folder", count[Kind::folder] - 1},
                     {"librarypanel", 0}});
}

}  // namespace graft::simulator
