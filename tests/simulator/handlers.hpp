// Every handler of the route table, grouped by the file that holds it.
#pragma once

#include "routes.hpp"

namespace graft::simulator {

// system.cpp
Reply health(Call& call);
Reply healthz(Call& call);
Reply alive(Call& call);
Reply kubernetes_version(Call& call);
Reply frontend_settings(Call& call);

// current_user.cpp
Reply current_user(Call& call);
Reply current_user_orgs(Call& call);
Reply use_organization(Call& call);

// users.cpp
Reply create_user(Call& call);
Reply delete_user(Call& call);
Reply set_user_password(Call& call);
Reply disable_user(Call& call);
Reply enable_user(Call& call);
Reply get_user(Call& call);
Reply get_user_orgs(Call& call);
Reply look_up_user(Call& call);

// organizations.cpp
Reply current_organization(Call& call);
Reply list_organizations(Call& call);
Reply create_organization(Call& call);
Reply get_organization(Call& call);
Reply get_organization_by_name(Call& call);
Reply rename_organization(Call& call);
Reply delete_organization(Call& call);
Reply organization_quotas(Call& call);

// org_members.cpp
Reply list_members(Call& call);
Reply search_members(Call& call);
Reply add_member(Call& call);
Reply change_member(Call& call);
Reply remove_member(Call& call);
Reply list_own_members(Call& call);
Reply add_own_member(Call& call);
Reply remove_own_member(Call& call);

// service_accounts.cpp
Reply search_service_accounts(Call& call);
Reply create_service_account(Call& call);
Reply get_service_account(Call& call);
Reply change_service_account(Call& call);
Reply delete_service_account(Call& call);

// tokens.cpp
Reply list_tokens(Call& call);
Reply create_token(Call& call);
Reply delete_token(Call& call);

// folders_legacy.cpp
Reply list_folders(Call& call);
Reply create_folder(Call& call);
Reply get_folder(Call& call);
Reply change_folder(Call& call);
Reply move_folder(Call& call);
Reply delete_folder(Call& call);
Reply count_in_folder(Call& call);

// dashboards_legacy.cpp, dashboards_read.cpp
Reply save_dashboard(Call& call);
Reply get_dashboard(Call& call);
Reply delete_dashboard(Call& call);
Reply list_dashboard_versions(Call& call);

// permissions.cpp
Reply folder_permissions(Call& call);
Reply dashboard_permissions(Call& call);

// search.cpp
Reply search(Call& call);

// discovery.cpp
Reply api_groups(Call& call);
Reply dashboard_group(Call& call);
Reply folder_group(Call& call);
Reply dashboard_v0_resources(Call& call);

// apis.cpp and what it calls
Reply list_dashboards_k8s(Call& call);
Reply get_dashboard_k8s(Call& call);
Reply create_dashboard_k8s(Call& call);
Reply put_dashboard_k8s(Call& call);
Reply patch_dashboard_k8s(Call& call);
Reply delete_dashboard_k8s(Call& call);
Reply list_folders_k8s(Call& call);
Reply get_folder_k8s(Call& call);
Reply create_folder_k8s(Call& call);
Reply put_folder_k8s(Call& call);
Reply patch_folder_k8s(Call& call);
Reply delete_folder_k8s(Call& call);
Reply folder_parents(Call& call);
Reply folder_counts(Call& call);

}  // namespace graft::simulator
