// /apis/dashboard.grafana.app, v0alpha1 and v1beta1: one object at a time.
#include "apis.hpp"
#include "dashboard_versions.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

ResourcePtr in_path(const Call& call) {
  return call.world.resources.find(Kind::dashboard, call.caller.org, call.name("name"));
}

Reply set_on_create() { return status_reply(500, "resourceVersion should not be set on objects to be created"); }

std::string folder_of(const Draft& draft) {
  const auto found = draft.annotations.find(annotation::folder);
  return found == draft.annotations.end() ? std::string() : found->second;
}

// A dry run answers before the server adds its own labels and annotations.
Reply dry_run_reply(const Call& call, Resource shown, const Draft& draft, int status) {
  shown.labels = draft.labels;
  shown.annotations = draft.annotations;
  return object_reply(call, dashboards_of(call), shown, status);
}

Reply create(Call& call, Sent sent) {
  Draft& draft = sent.draft;
  if (!sent.resource_version.empty()) return set_on_create();
  if (draft.name.empty() && !draft.generate_name.empty()) {
    draft.name = draft.generate_name + ascii_lower(random_letters(5));
  }
  if (const auto problem = path_name_problem(Kind::dashboard, draft.name)) return problem_reply(*problem);
  if (level_in(call.world, call.caller, folder_of(draft)) < Level::edit) return forbidden_status();
  if (const auto problem = dashboard_problem(call.world, call.caller.org, draft)) return problem_reply(*problem);
  if (call.world.resources.find(Kind::dashboard, call.caller.org, draft.name) != nullptr) {
    return status_reply(409, dashboards.resource() + " \"" + draft.name + "\" already exists", "AlreadyExists",
                        {{"name", draft.name}, {"group", dashboards.group}, {"kind", dashboards.plural}});
  }
  draft.default_permissions = draft.annotations.contains(annotation::grant_permissions);
  Resource next = call.world.resources.created(Kind::dashboard, call.caller.org, draft);
  if (is_dry_run(call)) return dry_run_reply(call, next, draft, 201);
  return object_reply(call, dashboards_of(call), *call.world.resources.store(std::move(next)), 201);
}

Reply update(Call& call, const Resource& current, const Sent& sent) {
  if (level_of(call.world, call.caller, current) < Level::edit) return forbidden_status();
  if (const auto refused = failed_update_precondition(dashboards, current, sent)) return *refused;
  if (const auto problem = dashboard_problem(call.world, call.caller.org, sent.draft)) return problem_reply(*problem);
  Resource next = call.world.resources.updated(current, sent.draft);
  if (is_dry_run(call)) {
    next.generation = current.generation;
    return dry_run_reply(call, next, sent.draft, 200);
  }
  if (!Resources::differs(current, next)) return object_reply(call, dashboards_of(call), current, 200, false);
  return object_reply(call, dashboards_of(call), *call.world.resources.store(std::move(next)));
}

}  // namespace

Reply list_dashboards_k8s(Call& call) { return list_reply(call, dashboards_of(call)); }

Reply get_dashboard_k8s(Call& call) {
  const auto found = in_path(call);
  if (found == nullptr) return not_found_status(dashboards, call.name("name"));
  if (level_of(call.world, call.caller, *found) == Level::nothing) return forbidden_status();
  return object_reply(call, dashboards_of(call), *found);
}

Reply create_dashboard_k8s(Call& call) {
  auto sent = read_object(call, dashboards_of(call));
  if (const Reply* refused = std::get_if<Reply>(&sent)) return *refused;
  return create(call, std::get<Sent>(std::move(sent)));
}

Reply put_dashboard_k8s(Call& call) {
  auto read = read_object(call, dashboards_of(call));
  if (const Reply* refused = std::get_if<Reply>(&read)) return *refused;
  Sent& sent = std::get<Sent>(read);
  if (const auto problem = wrong_name(call, sent)) return *problem;
  const auto current = in_path(call);
  return current == nullptr ? create(call, std::move(sent)) : update(call, *current, sent);
}

Reply patch_dashboard_k8s(Call& call) {
  if (const auto refused = unfit_patch(call, dashboards_of(call))) return *refused;
  const auto current = in_path(call);
  if (current == nullptr) return not_found_status(dashboards, call.name("name"));
  const auto patched = patched_object(call, dashboards_of(call), *current);
  if (const Reply* refused = std::get_if<Reply>(&patched)) return *refused;
  const auto sent = sent_from_json(call, dashboards_of(call), std::get<Json>(patched));
  if (const Reply* refused = std::get_if<Reply>(&sent)) return *refused;
  return update(call, *current, std::get<Sent>(sent));
}

Reply delete_dashboard_k8s(Call& call) {
  const auto current = in_path(call);
  if (current == nullptr) return not_found_status(dashboards, call.name("name"));
  if (level_of(call.world, call.caller, *current) < Level::edit) return forbidden_status();
  if (const auto refused = failed_precondition(call, dashboards, *current)) return *refused;
  if (!is_dry_run(call)) call.world.resources.remove(*current, call.caller.subject);
  return deleted_reply(dashboards, *current);
}

}  // namespace graft::simulator
