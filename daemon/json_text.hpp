// A text as a JSON string; broken UTF-8 is replaced.
#pragma once

#include <string>
#include <string_view>

namespace graft::daemon {

[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace graft::daemon
