// Durations as people write them: "30d", "1h30m", "90s", "250ms" is refused. Units: w, d, h, m, s; each once, in
// descending order, whole numbers. Stored in seconds.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft {

[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(std::chrono::seconds duration);  // "30d", "1h30m", "0s"; parses back

}  // namespace graft
