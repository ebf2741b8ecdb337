// Grafana's error bodies (five shapes, grafana-api.md 0.2) as our Error. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::grafana {

struct Reply {
  int status = 0;
  std::string content_type;
  std::string location;  // of a redirect
  std::string retry_after;
  std::string body;
};

// What a reply that is not the hoped-for one means. `what` says what we were doing ("creating folder apiorg/ops").
// server_code is messageId, or reason of a Kubernetes Status, or status of the older shapes.
[[nodiscard]] Error error_of(std::string_view what, const Reply& reply);

// True when the body claims to be JSON. An HTML page with status 200 is a login page or a proxy, never data.
[[nodiscard]] bool is_json(const Reply& reply);

// A 401 that speaks of the login itself, not of a disabled account or a key for another organization.
[[nodiscard]] bool is_refused_login(const Reply& reply);

}  // namespace graft::grafana
