#include "grafana/route.hpp"

#include <algorithm>
#include <array>

namespace graft::grafana {

namespace {

constexpr std::string_view folders = "/apis/folder.grafana.app/:version/namespaces/:namespace/folders";
constexpr std::string_view folder = "/apis/folder.grafana.app/:version/namespaces/:namespace/folders/:name";
constexpr std::string_view dashboards = "/apis/dashboard.grafana.app/:version/namespaces/:namespace/dashboards";
constexpr std::string_view dashboard = "/apis/dashboard.grafana.app/:version/namespaces/:namespace/dashboards/:name";

constexpr std::array table{
    Route{"GET", "/api/user"},
    Route{"GET", "/api/user/orgs"},
    Route{"GET", "/api/org"},
    Route{"GET", "/api/orgs"},
    Route{"POST", "/api/orgs"},
    Route{"GET", "/api/orgs/:orgId/users"},
    Route{"POST", "/api/orgs/:orgId/users"},
    Route{"PATCH", "/api/orgs/:orgId/users/:userId"},
    Route{"GET", "/api/serviceaccounts/search"},
    Route{"POST", "/api/serviceaccounts"},
    Route{"PATCH", "/api/serviceaccounts/:accountId"},
    Route{"GET", "/api/serviceaccounts/:accountId/tokens"},
    Route{"POST", "/api/serviceaccounts/:accountId/tokens"},
    Route{"DELETE", "/api/serviceaccounts/:accountId/tokens/:tokenId"},
    Route{"GET", "/api/frontend/settings"},
    Route{"GET", "/apis"},
    Route{"GET", folders},
    Route{"POST", folders},
    Route{"GET", folder},
    Route{"PUT", folder},
    Route{"GET", dashboards},
    Route{"POST", dashboards},
    Route{"GET", dashboard},
    Route{"PUT", dashboard},
};

// Takes the first segment off: "/a/b" gives "a" and leaves "/b".
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool matches(std::string_view form, std::string_view path) {
  while (form.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = take_segment(form), given = take_segment(path);
    const bool any = wanted.starts_with(':') && !given.empty();
    if (!any && wanted != given) return false;
  }
  return form.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() { return table; }

std::string_view route_of(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto* found = std::ranges::find_if(
      table, [&](const Route& route) { return route.method == method && matches(route.path, path); });
  return found == table.end() ? "other" : found->path;
}

}  // namespace graft::grafana
