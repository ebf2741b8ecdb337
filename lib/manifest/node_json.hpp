// A Node as a JSON value, for documents that are passed on as they are (a dashboard's model).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

// ErrorCode::invalid, with the place, for a number that no float64 can hold.
[[nodiscard]] Result<nlohmann::json> to_json(const Node& node);

}  // namespace graft::manifest
