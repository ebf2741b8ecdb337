// Grafana's Kubernetes-style objects (folders, dashboards): list by pages, get, create, replace under a
// resourceVersion. Facts: grafana-api.md section 8 (12.4, unified storage [run]).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.hpp"
#include "grafana/api.hpp"

namespace graft::grafana {

inline constexpr const char* annotation_folder = "grafana.app/folder";
inline constexpr const char* annotation_grant_permissions = "grafana.app/grant-permissions";

// Where objects of one resource in one organization live.
struct Collection {
  std::string path;  // from content_routes()
  OrgId organization;
  std::string noun;  // "dashboards", for messages
  Access create_access = Access::write;
};

// Calls `each` for every object, page by page (a page may be short; only a missing `continue` ends the list). The
// object may be moved from.
[[nodiscard]] asio::awaitable<Status> list_objects(Api& api, const Collection& collection,
                                                   const std::function<void(nlohmann::json&)>& each);
[[nodiscard]] asio::awaitable<Result<nlohmann::json>> get_object(Api& api, const Collection& collection,
                                                                 const std::string& name);
// exists: there is one of this name (409 for dashboards, 412 for folders).
[[nodiscard]] asio::awaitable<Result<nlohmann::json>> create_object(Api& api, const Collection& collection,
                                                                    const std::string& name, std::string body);
// conflict: it was changed since the resourceVersion in the body was read.
[[nodiscard]] asio::awaitable<Result<nlohmann::json>> replace_object(Api& api, const Collection& collection,
                                                                     const std::string& name, std::string body);

}  // namespace graft::grafana
