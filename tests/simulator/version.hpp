// Which Grafana the simulator says it is.
#pragma once

namespace graft::simulator {

inline constexpr auto grafana_version = "12.4.0";
inline constexpr auto grafana_commit = "0000000000";

}  // namespace graft::simulator
