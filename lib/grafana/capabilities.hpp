// What this Grafana can do, asked of it and never judged by its version number; and the one place that decides through
// which of its APIs folders and dashboards are read and written.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "grafana/api.hpp"

namespace graft::grafana {

struct Capabilities {
  bool dashboards_v0alpha1 = false;  // GET /apis lists dashboard.grafana.app/v0alpha1: what is sent is stored as it is
  bool folders_v1beta1 = false;      // and folder.grafana.app/v1beta1
  bool operator==(const Capabilities&) const = default;
};

[[nodiscard]] asio::awaitable<Result<Capabilities>> probe_capabilities(Api& api);

// Grafana raises a dashboard's `refresh` to this (legacy routes) or refuses it (/apis, 400 [run]). From
// /api/frontend/settings, a large answer: ask once a process, and only when a dashboard has a refresh. Default 5s.
[[nodiscard]] asio::awaitable<Result<std::string>> fetch_min_refresh_interval(Api& api);

// Paths of the Kubernetes-style resources of one organization.
struct ContentRoutes {
  std::string folders;     // "/apis/folder.grafana.app/v1beta1/namespaces/org-7/folders"
  std::string dashboards;  // "/apis/dashboard.grafana.app/v0alpha1/namespaces/org-7/dashboards"
};

// ErrorCode::unsupported for a server without them (before Grafana 12): it is refused until its turn comes.
[[nodiscard]] Status content_supported(const Capabilities& capabilities);
[[nodiscard]] ContentRoutes content_routes(OrgId organization);

}  // namespace graft::grafana
