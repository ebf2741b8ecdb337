// A request's route: the template of its path, never the path itself, so that counting by route stays bounded and names
// nothing of anybody's content. Pure.
#pragma once

#include <span>
#include <string_view>

namespace graft::grafana {

struct Route {
  std::string_view method;
  std::string_view path;  // "/api/orgs/:orgId/users"; a segment that begins with ':' stands for any one segment
};

// Every request that graftd makes. A new one needs its row; a test reads the calls in lib/ and holds them to it.
[[nodiscard]] std::span<const Route> routes();

// The template of the route that the request takes, its query left out; "other" when there is none.
[[nodiscard]] std::string_view route_of(std::string_view method, std::string_view target);

}  // namespace graft::grafana
