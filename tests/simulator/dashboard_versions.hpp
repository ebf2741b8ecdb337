// The API versions of dashboards, and the conversion between the two that are simulated.
#pragma once

#include <optional>

#include "apis.hpp"

namespace graft::simulator {

inline constexpr KindNames dashboards_v1{Kind::dashboard, "dashboard.grafana.app", "v1beta1", "dashboards",
                                         "Dashboard"};

// The names under which the path of the call speaks of dashboards.
const KindNames& dashboards_of(const Call& call);

// A spec as v1beta1 has it: of schema 42, with the front end's defaults. Nothing for what is not simulated, which is
// all that has panels, variables, annotations or rows: Grafana rewrites those in a thousand ways.
std::optional<Json> as_v1beta1(const Json& spec);

// The stored dashboard as this version of the API shows it; nothing when the conversion is not simulated.
std::optional<Json> converted_object(const KindNames& names, const Resource& resource, bool version_told = true);

}  // namespace graft::simulator
