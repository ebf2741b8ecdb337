// What groups, versions and resources there are under /apis, as Kubernetes clients discover them.
#include <algorithm>
#include <array>

#include "apis.hpp"
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"

namespace graft::simulator {
namespace {

struct Group {
  const char* name;
  std::array<const char*, 4> versions;  // the preferred one first
};

// Grafana 12.4 tells of all its groups; the simulator serves two of them.
constexpr std::array groups = {
    Group{"collections.grafana.app", {"v1alpha1"}},
    Group{"features.grafana.app", {"v0alpha1"}},
    Group{"dashboard.grafana.app", {"v1beta1", "v0alpha1", "v2beta1", "v2alpha1"}},
    Group{"folder.grafana.app", {"v1beta1"}},
    Group{"iam.grafana.app", {"v0alpha1"}},
    Group{"userstorage.grafana.app", {"v0alpha1"}},
    Group{"preferences.grafana.app", {"v1alpha1"}},
    Group{"playlist.grafana.app", {"v1", "v0alpha1"}},
    Group{"plugins.grafana.app", {"v0alpha1"}},
    Group{"example.grafana.app", {"v1alpha1", "v0alpha1"}},
    Group{"notifications.alerting.grafana.app", {"v0alpha1"}},
};

Json version_json(const Group& group, const char* version) {
  return {{"groupVersion", std::string(group.name) + "/" + version}, {"version", version}};
}

Json group_json(const Group& group) {
  Json versions = Json::array();
  for (const char* version : group.versions) {
    if (version != nullptr) versions.push_back(version_json(group, version));
  }
  return {{"name", group.name}, {"versions", versions}, {"preferredVersion", version_json(group, group.versions[0])}};
}

Reply group_reply(const char* name) {
  for (const Group& group : groups) {
    if (std::string_view(group.name) != name) continue;
    Json body = group_json(group);
    body["kind"] = "APIGroup";
    body["apiVersion"] = "v1";
    return json_reply(body);
  }
  return text_reply(404, "404 page not found\n");
}

Json resource_json(const char* name, const char* singular, const char* kind, const Json& verbs) {
  return {{"name", name}, {"singularName", singular}, {"namespaced", true}, {"kind", kind}, {"verbs", verbs}};
}

bool is_known_group(std::string_view name) {
  for (const Group& group : groups) {
    if (group.name == name) return true;
  }
  return false;
}

}  // namespace

std::optional<Reply> not_in_apis(const Request& request) {
  const auto& segments = request.segments;
  const std::string group = segments.size() > 1 ? segments[1] : "";
  if (!is_known_group(group)) return text_reply(404, "404 page not found\n");
  const bool ours = group == dashboards.group || group == folders.group;
  if (!ours || segments.size() < 3) return std::nullopt;
  const std::string& version = segments[2];
  constexpr std::array dashboard_versions = {"v0alpha1", "v1beta1", "v2alpha1", "v2beta1"};
  constexpr std::array resources = {"dashboards", "folders", "snapshots", "librarypanels", "search"};
  const bool known_version = group == folders.group
                                 ? version == folders.version
                                 : std::ranges::find(dashboard_versions, version) != dashboard_versions.end();
  const bool known_resource = segments.size() < 6 || std::ranges::find(resources, segments[5]) != resources.end();
  if (known_version && known_resource && segments.size() != 5) return std::nullopt;
  return status_reply(404, "the server could not find the requested resource", "NotFound", Json::object());
}

Reply api_groups(Call&) {
  Json list = Json::array();
  for (const Group& group : groups) {
    Json item = group_json(group);
    item["serverAddressByClientCIDRs"] = {{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", "127.0.0.1:3000"}}};
    list.push_back(item);
  }
  return json_reply({{"kind", "APIGroupList"}, {"groups", list}});
}

Reply dashboard_group(Call&) { return group_reply(dashboards.group); }

Reply folder_group(Call&) { return group_reply(folders.group); }

Reply dashboard_v0_resources(Call&) {
  const Json all = {"create", "delete", "deletecollection", "get", "list", "patch", "update"};
  const Json get = Json::array({"get"});
  return json_reply({{"kind", "APIResourceList"},
                     {"apiVersion", "v1"},
                     {"groupVersion", dashboards.api_version()},
                     {"resources",
                      {resource_json("dashboards", "dashboard", "Dashboard", all),
                       resource_json("dashboards/dto", "", "DashboardWithAccessInfo", get),
                       resource_json("snapshots", "snapshot", "Snapshot", {"delete", "get", "list"}),
                       resource_json("snapshots/dashboard", "", "Dashboard", get)}}});
}

}  // namespace graft::simulator
