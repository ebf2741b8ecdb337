// The JSON Schema of the configuration file, config/schema/graftd.schema.json, from the table of settings. A test fails
// when the file is not this text, and holds it to what load_config() takes.
#pragma once

#include <string>

namespace graft::daemon {

// Whatever load_config() takes is valid; what it refuses is invalid as far as one value alone can show it. Nothing is
// required, since flags and variables can give what the file does not.
[[nodiscard]] std::string configuration_schema();

}  // namespace graft::daemon
