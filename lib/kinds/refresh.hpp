// A dashboard's `refresh` and Grafana's smallest one (setting min_refresh_interval, 5s by default): Grafana raises a
// shorter one, or refuses it, depending on the route. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace graft::kinds {

// Grafana's interval texts: "5s", "1m30s", "500ms", "1d"; nullopt for anything else ("", "auto", "soon"), which Grafana
// leaves alone.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_interval(std::string_view text);

// The refresh that Grafana would store for this one.
[[nodiscard]] std::string raised_refresh(const std::string& refresh, const std::string& minimum);

}  // namespace graft::kinds
