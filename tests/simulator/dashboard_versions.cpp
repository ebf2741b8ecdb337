#include "dashboard_versions.hpp"

#include <algorithm>
#include <array>

namespace graft::simulator {
namespace {

constexpr int latest_schema = 42;
constexpr int oldest_schema = 30;  // older ones meet migrations that are not simulated
constexpr int text_refresh = 40;   // from here on `refresh` is a text

bool is_simple(const Json& spec) {
  constexpr std::array unknown = {"rows", "annotations", "templating", "gnetId", "snapshot", "iteration", "links"};
  const bool bare = std::ranges::none_of(unknown, [&](const char* key) { return spec.contains(key); });
  const auto panels = spec.find("panels");
  const auto schema = spec.find("schemaVersion");
  return bare && (panels == spec.end() || (panels->is_array() && panels->empty())) && schema != spec.end() &&
         schema->is_number() && schema->get<double>() >= oldest_schema && schema->get<double>() <= latest_schema;
}

Json built_in_annotations() {
  const Json grafana = {{"type", "grafana"}, {"uid", "-- Grafana --"}};
  return {{"list",
           {{{"builtIn", 1},
             {"datasource", grafana},
             {"enable", true},
             {"hide", true},
             {"iconColor", "rgba(0, 211, 255, 1)"},
             {"name", "Annotations & Alerts"},
             {"type", "dashboard"}}}}};
}

Json defaults() {
  return {{"annotations", built_in_annotations()},
          {"editable", true},
          {"fiscalYearStartMonth", 0},
          {"graphTooltip", 0},
          {"links", Json::array()},
          {"panels", Json::array()},
          {"tags", Json::array()},
          {"templating", {{"list", Json::array()}}},
          {"time", {{"from", "now-6h"}, {"to", "now"}}},
          {"timepicker", Json::object()},
          {"timezone", ""},
          {"weekStart", ""}};
}

}  // namespace

const KindNames& dashboards_of(const Call& call) {
  return call.request.segments[2] == dashboards_v1.version ? dashboards_v1 : dashboards;
}

std::optional<Json> as_v1beta1(const Json& spec) {
  if (!spec.is_object() || !is_simple(spec)) return std::nullopt;
  Json next = spec;
  for (const char* key : {"__inputs", "__elements", "__requires"}) next.erase(key);
  if (spec["schemaVersion"].get<double>() < text_refresh &&
      !(next.contains("refresh") && next["refresh"].is_string())) {
    next["refresh"] = "";
  }
  next["schemaVersion"] = latest_schema;
  const Json missing = defaults();
  for (const auto& [key, value] : missing.items()) {
    if (!next.contains(key)) next[key] = value;
  }
  return with_float64_numbers(next);
}

std::optional<Json> converted_object(const KindNames& names, const Resource& resource, bool version_told) {
  Json object = object_json(names, resource, version_told);
  if (resource.kind != Kind::dashboard || resource.stored_as == names.version) return object;
  // To v0alpha1 everything is shown as it is stored.
  if (names.version == std::string_view(dashboards_v1.version)) {
    const auto spec = as_v1beta1(resource.spec);
    if (!spec) return std::nullopt;
    object["spec"] = *spec;
  }
  object["status"] = {{"conversion", {{"failed", false}, {"storedVersion", resource.stored_as}}}};
  return object;
}

}  // namespace graft::simulator
