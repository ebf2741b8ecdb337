// Bodies as Grafana's /api reads them.
#pragma once

#include <optional>

#include "json.hpp"
#include "message.hpp"

namespace graft::simulator {

// The body decoded for a Go struct: nothing when it is not declared as JSON, is broken, or is no object.
std::optional<Json> struct_body(const Request& request);

std::string media_type(const Request& request);  // of Content-Type, in lower case
bool is_declared_json(const Request& request);

}  // namespace graft::simulator
