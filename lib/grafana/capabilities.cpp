#include "grafana/capabilities.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "grafana/json_fields.hpp"

namespace graft::grafana {

namespace {

bool serves(const nlohmann::json& groups, const std::string& group_version) {
  for (const nlohmann::json& group : array_of(groups, "groups"))
    for (const nlohmann::json& version : array_of(group, "versions"))
      if (text_of(version, "groupVersion") == group_version) return true;
  return false;
}

}  // namespace

asio::awaitable<Result<Capabilities>> probe_capabilities(Api& api) {
  Call call("GET", "/apis", "asking Grafana for its API groups");
  Result<Reply> reply = co_await api.send(std::move(call));
  if (!reply) co_return fail(std::move(reply.error()));
  Capabilities capabilities;
  if (reply->status == 404) co_return capabilities;  // before Grafana 12 there is no such route
  if (reply->status != 200 || !is_json(*reply)) co_return fail(error_of("asking Grafana for its API groups", *reply));
  const nlohmann::json groups = nlohmann::json::parse(reply->body, nullptr, false);
  if (groups.is_object()) {
    capabilities.dashboards_v0alpha1 = serves(groups, "dashboard.grafana.app/v0alpha1");
    capabilities.folders_v1beta1 = serves(groups, "folder.grafana.app/v1beta1");
  }
  co_return capabilities;
}

asio::awaitable<Result<std::string>> fetch_min_refresh_interval(Api& api) {
  Call call("GET", "/api/frontend/settings", "asking Grafana for its smallest refresh interval");
  Result<nlohmann::json> settings = co_await api.fetch(std::move(call));
  if (!settings) co_return fail(std::move(settings.error()));
  const auto found = settings->find("minRefreshInterval");
  if (found == settings->end() || !found->is_string()) co_return std::string("5s");
  co_return found->get<std::string>();
}

Status content_supported(const Capabilities& capabilities) {
  if (capabilities.dashboards_v0alpha1 && capabilities.folders_v1beta1) return {};
  std::string missing = capabilities.dashboards_v0alpha1 ? "" : "dashboard.grafana.app/v0alpha1";
  if (!capabilities.folders_v1beta1)
    missing += std::string(missing.empty() ? "" : " and ") + "folder.grafana.app/v1beta1";
  return fail(
      Error(ErrorCode::unsupported, fmt::format("this Grafana does not serve {} under /apis", missing))
          .with_hint("graftd needs Grafana 12 or later for now; older servers, and proxies that hide /apis, are "
                     "not supported yet"));
}

ContentRoutes content_routes(OrgId organization) {
  const std::string name_space = namespace_of(organization);
  return {fmt::format("/apis/folder.grafana.app/v1beta1/namespaces/{}/folders", name_space),
          fmt::format("/apis/dashboard.grafana.app/v0alpha1/namespaces/{}/dashboards", name_space)};
}

}  // namespace graft::grafana
