// The shapes in which Grafana gives out dashboards, and the one in which graftd compares them.
//
// Accepted: the classic model ("View JSON"), {"dashboard": …} of the HTTP API, and dashboard.grafana.app objects of
// versions v0… and v1…. Refused with an explanation: v2 layouts, library panels in an export, and an export "for
// sharing externally" whose inputs are not all given. Pure.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "manifest/cursor.hpp"

namespace graft::kinds {

using Inputs = std::map<std::string, std::string>;  // "DS_PROMETHEUS" → the uid of a data source

struct DashboardModel {
  std::string text;    // canonical JSON of the model
  std::string uid;     // as the document says it; empty: it does not
  std::string folder;  // as the document says it; only the manifest's counts
};

// Where a top-level field of the document stands, or the document itself.
using PlaceOf = std::function<Position(std::string_view field)>;

// All problems are reported, then nullopt is returned. Adds the inputs that the document asks for to `asked`.
[[nodiscard]] std::optional<DashboardModel> read_dashboard(nlohmann::json&& document, const Inputs& inputs,
                                                           std::set<std::string>& asked, const PlaceOf& place,
                                                           manifest::Reporter& reporter);

// Replaces each ${NAME} that `variables` knows in all string values, exactly as Grafana's import does: once, from left
// to right, keys untouched. The variables' keys are whole, "${DS_X}".
void substitute(nlohmann::json& value, const std::map<std::string, std::string, std::less<>>& variables);

// The uid of a dashboard file without one: from its path in the manifest tree, so that it outlives any other change.
[[nodiscard]] std::string derived_dashboard_uid(std::string_view path);

}  // namespace graft::kinds
