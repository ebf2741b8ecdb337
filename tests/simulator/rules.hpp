// What Grafana demands of a dashboard or folder before it stores one, and who may do what with it.
#pragma once

#include <optional>
#include <string>

#include "caller.hpp"
#include "json.hpp"
#include "world.hpp"

namespace graft::simulator {

// Why something cannot be stored, in words both APIs share.
struct Problem {
  int code = 400;
  std::string message;
  std::string reason;         // of the Kubernetes Status, may be empty
  Json details = nullptr;     // of the Kubernetes Status
  std::string legacy_status;  // "status" of the older API, may be empty
};

enum class Level { nothing = 0, view = 1, edit = 2, admin = 4 };

// What the caller may do with an object, by role, by having made it, and by the folders above it.
Level level_of(const World& world, const Caller& caller, const Resource& resource);
// What the caller may do in a folder, "" being the root.
Level level_in(const World& world, const Caller& caller, const std::string& folder);

std::optional<Problem> dashboard_problem(const World& world, std::int64_t org, const Draft& draft);
std::optional<Problem> new_folder_problem(const World& world, std::int64_t org, const Draft& draft);
std::optional<Problem> changed_folder_problem(const World& world, const Resource& current, const Draft& draft);

std::optional<Problem> uid_problem(const std::string& uid);
// A name that cannot stand in a URL path; in the words of Kubernetes.
std::optional<Problem> path_name_problem(Kind kind, const std::string& name);
Problem missing_folder(const std::string& uid);

// The ancestors of a folder, the root's child first; those that do not exist are left out.
std::vector<ResourcePtr> ancestors(const World& world, const Resource& folder);
bool is_empty_folder(const World& world, const Resource& folder);
// A folder with everything below: sub-folders and dashboards.
std::vector<ResourcePtr> subtree(const World& world, const ResourcePtr& folder);

// A duration as Go writes them ("5s", "1m30s"), and days and weeks as Grafana adds; nothing for another text.
std::optional<double> seconds_of_duration(std::string_view text);
bool is_refresh_too_low(const World& world, const Json& spec);

}  // namespace graft::simulator
