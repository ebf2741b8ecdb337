#include "routes.hpp"

#include <array>

#include "handlers.hpp"
#include "simulator.hpp"

namespace graft::simulator {
namespace {

using Where = Access::Where;

constexpr Access open{Where::open, Role::none, ""};
constexpr Access signed_in{Where::signed_in, Role::none, ""};
constexpr Access member{Where::apis, Role::none, ""};

constexpr Access server(std::string_view permissions) { return {Where::server, Role::admin, permissions}; }

// In the organization the path names; Role::none: only for server administrators.
constexpr Access in_path(Role least, std::string_view permissions) { return {Where::org_in_path, least, permissions}; }

// In the organization the call acts in.
constexpr Access as(Role least, std::string_view permissions) { return {Where::org_of_call, least, permissions}; }

#define DASHBOARDS "/apis/dashboard.grafana.app/v0alpha1/namespaces/:namespace/dashboards"
#define DASHBOARDS_V1 "/apis/dashboard.grafana.app/v1beta1/namespaces/:namespace/dashboards"
#define FOLDERS "/apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders"

constexpr std::array table = {
    // The server itself
    Route{"GET", "/api/health", open, health},
    Route{"GET", "/healthz", open, healthz},
    Route{"GET", "/readyz", signed_in, alive},
    Route{"GET", "/livez", signed_in, alive},
    Route{"GET", "/version", signed_in, kubernetes_version},
    Route{"GET", "/api/frontend/settings", signed_in, frontend_settings},

    // The caller
    Route{"GET", "/api/user", signed_in, current_user},
    Route{"GET", "/api/user/orgs", signed_in, current_user_orgs},
    Route{"POST", "/api/user/using/:orgId", signed_in, use_organization},

    // Users, by server administrators
    Route{"POST", "/api/admin/users", server("users:create"), create_user},
    Route{"DELETE", "/api/admin/users/:userId", server("users:delete"), delete_user},
    Route{"PUT", "/api/admin/users/:userId/password", server("users.password:write"), set_user_password},
    Route{"POST", "/api/admin/users/:userId/disable", server("users:disable"), disable_user},
    Route{"POST", "/api/admin/users/:userId/enable", server("users:enable"), enable_user},
    Route{"GET", "/api/users/lookup", server("users:read"), look_up_user},
    Route{"GET", "/api/users/:userId", server("users:read"), get_user},
    Route{"GET", "/api/users/:userId/orgs", server("users:read"), get_user_orgs},

    // Organizations
    Route{"GET", "/api/orgs", server("orgs:read"), list_organizations},
    Route{"POST", "/api/orgs", server("orgs:create"), create_organization},
    Route{"GET", "/api/orgs/name/:name", server("orgs:read"), get_organization_by_name},
    Route{"GET", "/api/orgs/:orgId", in_path(Role::viewer, "orgs:read"), get_organization},
    Route{"PUT", "/api/orgs/:orgId", in_path(Role::admin, "orgs:write"), rename_organization},
    Route{"DELETE", "/api/orgs/:orgId", in_path(Role::none, "orgs:delete"), delete_organization},
    Route{"GET", "/api/orgs/:orgId/quotas", in_path(Role::admin, "orgs.quotas:read"), organization_quotas},
    Route{"GET", "/api/org", as(Role::viewer, "orgs:read"), current_organization},

    // Members of organizations
    Route{"GET", "/api/orgs/:orgId/users", in_path(Role::admin, "org.users:read"), list_members},
    Route{"GET", "/api/orgs/:orgId/users/search", in_path(Role::admin, "org.users:read"), search_members},
    Route{"POST", "/api/orgs/:orgId/users", in_path(Role::admin, "org.users:add"), add_member},
    Route{"PATCH", "/api/orgs/:orgId/users/:userId", in_path(Role::admin, "org.users:write"), change_member},
    Route{"DELETE", "/api/orgs/:orgId/users/:userId", in_path(Role::admin, "org.users:remove"), remove_member},
    Route{"GET", "/api/org/users", as(Role::admin, "org.users:read"), list_own_members},
    Route{"POST", "/api/org/users", as(Role::admin, "org.users:add"), add_own_member},
    Route{"DELETE", "/api/org/users/:userId", as(Role::admin, "org.users:remove"), remove_own_member},

    // Service accounts and their tokens
    Route{"GET", "/api/serviceaccounts/search", as(Role::admin, "serviceaccounts:read"), search_service_accounts},
    Route{"POST", "/api/serviceaccounts", as(Role::admin, "serviceaccounts:create"), create_service_account},
    Route{"GET", "/api/serviceaccounts/:accountId", as(Role::admin, "serviceaccounts:read"), get_service_account},
    Route{"PATCH", "/api/serviceaccounts/:accountId", as(Role::admin, "serviceaccounts:write"), change_service_account},
    Route{"DELETE", "/api/serviceaccounts/:accountId", as(Role::admin, "serviceaccounts:delete"),
          delete_service_account},
    Route{"GET", "/api/serviceaccounts/:accountId/tokens", as(Role::admin, "serviceaccounts:read"), list_tokens},
    Route{"POST", "/api/serviceaccounts/:accountId/tokens", as(Role::admin, "serviceaccounts:write"), create_token},
    Route{"DELETE", "/api/serviceaccounts/:accountId/tokens/:tokenId", as(Role::admin, "serviceaccounts:write"),
          delete_token},

    // Folders and dashboards through the older API
    Route{"GET", "/api/folders", as(Role::none, "folders:read"), list_folders},
    Route{"POST", "/api/folders", as(Role::editor, "folders:create"), create_folder},
    Route{"GET", "/api/folders/:uid", as(Role::viewer, "folders:read"), get_folder},
    Route{"PUT", "/api/folders/:uid", as(Role::viewer, "folders:write"), change_folder},
    Route{"DELETE", "/api/folders/:uid", as(Role::viewer, "folders:delete"), delete_folder},
    Route{"POST", "/api/folders/:uid/move", as(Role::viewer, "folders:write"), move_folder},
    Route{"GET", "/api/folders/:uid/counts", as(Role::viewer, "folders:read"), count_in_folder},
    Route{"GET", "/api/folders/:uid/permissions", as(Role::admin, "folders.permissions:read"), folder_permissions},
    Route{"POST", "/api/dashboards/db", as(Role::none, "any of dashboards:create, dashboards:write"), save_dashboard},
    Route{"GET", "/api/dashboards/uid/:uid", as(Role::viewer, "dashboards:read"), get_dashboard},
    Route{"DELETE", "/api/dashboards/uid/:uid", as(Role::viewer, "dashboards:delete"), delete_dashboard},
    Route{"GET", "/api/dashboards/uid/:uid/versions", as(Role::editor, "dashboards:write"), list_dashboard_versions},
    Route{"GET", "/api/dashboards/uid/:uid/permissions", as(Role::admin, "dashboards.permissions:read"),
          dashboard_permissions},
    Route{"GET", "/api/search", signed_in, search},

    // Kubernetes-style APIs
    Route{"GET", "/apis", signed_in, api_groups},
    Route{"GET", "/apis/dashboard.grafana.app", signed_in, dashboard_group},
    Route{"GET", "/apis/folder.grafana.app", signed_in, folder_group},
    Route{"GET", "/apis/dashboard.grafana.app/v0alpha1", signed_in, dashboard_v0_resources},
    Route{"GET", "/apis/dashboard.grafana.app/v0alpha1/dashboards", member, list_dashboards_k8s},
    Route{"GET", DASHBOARDS, member, list_dashboards_k8s},
    Route{"POST", DASHBOARDS, member, create_dashboard_k8s},
    Route{"GET", DASHBOARDS "/:name", member, get_dashboard_k8s},
    Route{"PUT", DASHBOARDS "/:name", member, put_dashboard_k8s},
    Route{"PATCH", DASHBOARDS "/:name", member, patch_dashboard_k8s},
    Route{"DELETE", DASHBOARDS "/:name", member, delete_dashboard_k8s},
    Route{"GET", DASHBOARDS_V1, member, list_dashboards_k8s},
    Route{"POST", DASHBOARDS_V1, member, create_dashboard_k8s},
    Route{"GET", DASHBOARDS_V1 "/:name", member, get_dashboard_k8s},
    Route{"PUT", DASHBOARDS_V1 "/:name", member, put_dashboard_k8s},
    Route{"PATCH", DASHBOARDS_V1 "/:name", member, patch_dashboard_k8s},
    Route{"DELETE", DASHBOARDS_V1 "/:name", member, delete_dashboard_k8s},
    Route{"GET", FOLDERS, member, list_folders_k8s},
    Route{"POST", FOLDERS, member, create_folder_k8s},
    Route{"GET", FOLDERS "/:name", member, get_folder_k8s},
    Route{"PUT", FOLDERS "/:name", member, put_folder_k8s},
    Route{"PATCH", FOLDERS "/:name", member, patch_folder_k8s},
    Route{"DELETE", FOLDERS "/:name", member, delete_folder_k8s},
    Route{"GET", FOLDERS "/:name/parents", member, folder_parents},
    Route{"GET", FOLDERS "/:name/counts", member, folder_counts},
};

#undef DASHBOARDS
#undef DASHBOARDS_V1
#undef FOLDERS

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto slash = path.find('/');
  const auto segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  return segment;
}

// -1: no match; else how many names the pattern needed, fewer being better.
int match(std::string_view pattern, const Request& request) {
  int names = 0;
  for (const std::string& segment : request.segments) {
    if (pattern.empty()) return -1;
    const auto wanted = next_segment(pattern);
    if (wanted.starts_with(':') && !segment.empty()) {
      ++names;
    } else if (wanted != segment) {
      return -1;
    }
  }
  return pattern.empty() ? names : -1;
}

}  // namespace

std::span<const Route> route_table() { return table; }

const Route* find_route(std::string_view method, const Request& request) {
  const Route* best = nullptr;
  int best_names = 0;
  for (const Route& route : table) {
    if (route.method != method && !(route.method == "GET" && method == "HEAD")) continue;
    const int names = match(route.pattern, request);
    if (names < 0 || (best != nullptr && names >= best_names)) continue;
    best = &route;
    best_names = names;
  }
  return best;
}

std::optional<std::string> route_of(std::string_view method, std::string_view target) {
  Request request;
  request.target = std::string(target);
  split_target(request);
  const Route* route = find_route(method, request);
  if (route == nullptr) return std::nullopt;
  return std::string(route->pattern);
}

}  // namespace graft::simulator
