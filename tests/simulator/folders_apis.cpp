// /apis/folder.grafana.app: one object at a time, and what surrounds a folder.
#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

ResourcePtr in_path(const Call& call) {
  return call.world.resources.find(Kind::folder, call.caller.org, call.name("name"));
}

Reply access_denied_status() { return status_reply(403, "Access denied"); }

// Folder errors reach the client without reason and details, but for those of the storage below.
Reply folder_problem_reply(Problem problem) {
  problem.reason.clear();
  problem.details = nullptr;
  return problem_reply(problem);
}

std::string parent_of(const Draft& draft) {
  const auto found = draft.annotations.find(annotation::folder);
  return found == draft.annotations.end() ? std::string() : found->second;
}

// Grafana stores the title of a folder without the blanks around it; that of a dashboard as it is.
void trim_title(Draft& draft) {
  const auto title = draft.spec.find("title");
  if (title != draft.spec.end() && title->is_string()) *title = trim(title->get<std::string>());
}

enum class Way { post, put };

// A dry run of a new folder in the root fails: Grafana looks for the folder to give it permissions.
Reply dry_run_create(const Call& call, Resource next, const Draft& draft) {
  if (draft.default_permissions) {
    return status_reply(404, "NotFound", "NotFound", {{"uid", "folder.notFound"}});
  }
  next.labels = draft.labels;
  next.annotations = draft.annotations;
  return object_reply(call, folders, next, 201);
}

Reply create(Call& call, Sent sent, Way way) {
  Draft& draft = sent.draft;
  trim_title(draft);
  if (!sent.resource_version.empty()) {
    return status_reply(500, "resourceVersion should not be set on objects to be created");
  }
  if (draft.name.empty() && !draft.generate_name.empty()) {
    draft.name = draft.generate_name + ascii_lower(random_letters(5));
  }
  if (const auto problem = path_name_problem(Kind::folder, draft.name)) return folder_problem_reply(*problem);
  const std::string parent = parent_of(draft);
  const bool parent_exists = call.world.resources.find(Kind::folder, call.caller.org, parent) != nullptr;
  const Level level = level_in(call.world, call.caller, parent_exists ? parent : "");
  if (level < Level::edit) return access_denied_status();
  if (const auto problem = new_folder_problem(call.world, call.caller.org, draft)) {
    return folder_problem_reply(*problem);
  }
  // Unlike a dashboard, a folder in the root gets its permissions this way, too; but not when a PUT makes it.
  draft.default_permissions = parent.empty() && way == Way::post;
  Resource next = call.world.resources.created(Kind::folder, call.caller.org, draft);
  if (is_dry_run(call)) return dry_run_create(call, std::move(next), draft);
  return object_reply(call, folders, *call.world.resources.store(std::move(next)), 201);
}

Reply update(Call& call, const Resource& current, Sent sent) {
  const Level level = level_of(call.world, call.caller, current);
  if (level == Level::nothing) return forbidden_status();
  if (const auto refused = failed_update_precondition(folders, current, sent)) return *refused;
  trim_title(sent.draft);
  if (const auto problem = changed_folder_problem(call.world, current, sent.draft)) {
    return folder_problem_reply(*problem);
  }
  Resource next = call.world.resources.updated(current, sent.draft);
  if (!Resources::differs(current, next)) return object_reply(call, folders, current, 200, false);
  // Only a real change needs the right to change.
  if (level < Level::edit) return forbidden_status();
  if (!is_dry_run(call)) return object_reply(call, folders, *call.world.resources.store(std::move(next)));
  next.generation = current.generation;
  next.labels = sent.draft.labels;
  next.annotations = sent.draft.annotations;
  return object_reply(call, folders, next);
}

Json folder_info(const Resource& folder) {
  Json info = {{"name", folder.name}, {"title", folder.title()}};
  if (!folder.folder().empty()) info["parent"] = folder.folder();
  const auto description = folder.spec.find("description");
  if (description != folder.spec.end()) info["description"] = *description;
  return info;
}

}  // namespace

Reply list_folders_k8s(Call& call) { return list_reply(call, folders); }

Reply get_folder_k8s(Call& call) {
  const auto found = in_path(call);
  if (found == nullptr) return not_found_status(folders, call.name("name"));
  if (level_of(call.world, call.caller, *found) == Level::nothing) return forbidden_status();
  return object_reply(call, folders, *found);
}

Reply create_folder_k8s(Call& call) {
  auto sent = read_object(call, folders);
  if (const Reply* refused = std::get_if<Reply>(&sent)) return *refused;
  return create(call, std::get<Sent>(std::move(sent)), Way::post);
}

Reply put_folder_k8s(Call& call) {
  auto read = read_object(call, folders);
  if (const Reply* refused = std::get_if<Reply>(&read)) return *refused;
  Sent& sent = std::get<Sent>(read);
  if (const auto problem = wrong_name(call, sent)) return *problem;
  const auto current = in_path(call);
  if (current == nullptr) return create(call, std::move(sent), Way::put);
  return update(call, *current, std::move(sent));
}

Reply patch_folder_k8s(Call& call) {
  if (const auto refused = unfit_patch(call, folders)) return *refused;
  const auto current = in_path(call);
  if (current == nullptr) return not_found_status(folders, call.name("name"));
  const auto patched = patched_object(call, folders, *current);
  if (const Reply* refused = std::get_if<Reply>(&patched)) return *refused;
  const auto sent = sent_from_json(call, folders, std::get<Json>(patched));
  if (const Reply* refused = std::get_if<Reply>(&sent)) return *refused;
  return update(call, *current, std::get<Sent>(sent));
}

Reply delete_folder_k8s(Call& call) {
  const auto current = in_path(call);
  if (current == nullptr) return not_found_status(folders, call.name("name"));
  if (level_of(call.world, call.caller, *current) < Level::edit) return forbidden_status();
  if (!is_empty_folder(call.world, *current)) {
    return status_reply(400, "Folder cannot be deleted: folder is not empty", "BadRequest",
                        {{"uid", "folder.not-empty"}});
  }
  if (const auto refused = failed_precondition(call, folders, *current)) return *refused;
  if (!is_dry_run(call)) call.world.resources.remove(*current, call.caller.subject);
  return deleted_reply(folders, *current);
}

Reply folder_parents(Call& call) {
  const auto found = in_path(call);
  if (found == nullptr) return not_found_status(folders, call.name("name"));
  Json items = Json::array();
  for (const ResourcePtr& parent : ancestors(call.world, *found)) items.push_back(folder_info(*parent));
  items.push_back(folder_info(*found));
  return json_reply({{"kind", "FolderInfoList"},
                     {"apiVersion", folders.api_version()},
                     {"metadata", Json::object()},
                     {"items", items}});
}

Reply folder_counts(Call& call) {
  const auto found = in_path(call);
  if (found == nullptr) return not_found_status(folders, call.name("name"));
  std::map<Kind, std::int64_t> count;
  for (const ResourcePtr& item : subtree(call.world, found)) ++count[item->kind];
  Json counts = Json::array();
  const auto add = [&](const char* group, const char* resource, std::int64_t number) {
    counts.push_back({{"group", group}, {"resource", resource}, {"count", number}});
  };
  // Kinds of unified storage are listed only when there are any; the older tables always.
  if (count[Kind::dashboard] > 0) add(dashboards.group, dashboards.plural, count[Kind::dashboard]);
  if (count[Kind::folder] > 1) add(folders.group, folders.plural, count[Kind::folder] - 1);
  for (const char* resource : {"alertrules", "dashboards", "folders", "library_elements"}) {
    add("sql-fallback", resource, 0);
  }
  return json_reply({{"kind", "DescendantCounts"}, {"apiVersion", folders.api_version()}, {"counts", counts}});
}

}  // namespace graft::simulator
