#include "rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::size_t max_uid = 40;
constexpr std::size_t max_title = 5000;
constexpr std::size_t max_tag = 50;
constexpr std::size_t max_message = 500;
constexpr std::size_t max_parents = 4;

Problem bad_request_problem(std::string message) { return {400, std::move(message), "BadRequest", nullptr, ""}; }

std::string title_of(const Json& spec) {
  const auto title = spec.is_object() ? spec.find("title") : spec.end();
  return title != spec.end() && title->is_string() ? title->get<std::string>() : std::string();
}

bool has_long_tag(const Json& spec) {
  const auto tags = spec.find("tags");
  if (tags == spec.end() || !tags->is_array()) return false;
  return std::ranges::any_of(
      *tags, [](const Json& tag) { return tag.is_string() && decode_utf8(tag.get<std::string>()).size() > max_tag; });
}

std::string annotated(const Draft& draft, const char* key) {
  const auto found = draft.annotations.find(key);
  return found == draft.annotations.end() ? std::string() : found->second;
}

Level by_default_permissions(Role role) {
  if (role == Role::editor) return Level::edit;
  return role == Role::viewer ? Level::view : Level::nothing;
}

ResourcePtr parent_of(const World& world, const Resource& resource) {
  const std::string uid = resource.folder();
  return uid.empty() ? nullptr : world.resources.find(Kind::folder, resource.org, uid);
}

bool is_below(const World& world, const Resource& folder, const std::string& ancestor) {
  const auto above = ancestors(world, folder);
  return std::ranges::any_of(above, [&](const ResourcePtr& item) { return item->name == ancestor; });
}

Problem circular_move() {
  return {500, "cannot move folder under its own descendant, this would create a circular reference", "", nullptr, ""};
}

Problem too_deep() { return {500, "Folder API error: folder max depth exceeded, max depth is 4", "", nullptr, ""}; }

std::size_t depth_of(const World& world, const Resource& folder) { return ancestors(world, folder).size(); }

std::optional<double> unit_seconds(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 9> units = {{
      {"ns", 1e-9},
      {"us", 1e-6},
      {"ms", 1e-3},
      {"s", 1},
      {"m", 60},
      {"h", 3600},
      {"d", 86400},
      {"w", 604800},
      {"y", 31536000},
  }};
  for (const auto& [name, seconds] : units) {
    if (name == unit) return seconds;
  }
  return std::nullopt;
}

}  // namespace

Level level_in(const World& world, const Caller& caller, const std::string& folder) {
  if (caller.has(Role::admin)) return Level::admin;
  if (folder.empty()) return caller.has(Role::editor) ? Level::edit : Level::nothing;
  const auto found = world.resources.find(Kind::folder, caller.org, folder);
  return found == nullptr ? Level::nothing : level_of(world, caller, *found);
}

Level level_of(const World& world, const Caller& caller, const Resource& resource) {
  if (caller.has(Role::admin)) return Level::admin;
  if (!caller.role || caller.org != resource.org) return Level::nothing;
  if (resource.default_permissions && resource.annotated(annotation::created_by) == caller.subject) return Level::admin;
  if (const auto parent = parent_of(world, resource)) return level_of(world, caller, *parent);
  return resource.default_permissions ? by_default_permissions(*caller.role) : Level::nothing;
}

std::optional<Problem> uid_problem(const std::string& uid) {
  if (uid.size() > max_uid) return bad_request_problem("uid too long, max 40 characters");
  const bool plain = std::ranges::all_of(uid, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!plain) return bad_request_problem("uid contains illegal characters");
  return std::nullopt;
}

std::optional<Problem> path_name_problem(Kind kind, const std::string& name) {
  const bool folder = kind == Kind::folder;
  const std::string group = folder ? "folder.grafana.app" : "dashboard.grafana.app";
  const std::string what = folder ? "Folder" : "Dashboard";
  std::string cause = "Required value: name or generateName is required";
  if (!name.empty()) {
    const auto bad = name.find_first_of("/%");
    if (bad == std::string::npos) return std::nullopt;
    cause = "Invalid value: \"" + name + "\": may not contain '" + name[bad] + "'";
  }
  Problem problem{422, what + "." + group + " \"" + name + "\" is invalid: metadata.name: " + cause, "Invalid", {}, ""};
  const char* reason = name.empty() ? "FieldValueRequired" : "FieldValueInvalid";
  problem.details = {{"group", group},
                     {"kind", what},
                     {"causes", {{{"reason", reason}, {"message", cause}, {"field", "metadata.name"}}}}};
  if (!name.empty()) problem.details["name"] = name;
  return problem;
}

Problem missing_folder(const std::string& uid) {
  return {404,
          "folders.folder.grafana.app \"" + uid + "\" not found",
          "NotFound",
          {{"name", uid}, {"group", "folder.grafana.app"}, {"kind", "folders"}},
          ""};
}

std::optional<Problem> dashboard_problem(const World& world, std::int64_t org, const Draft& draft) {
  const std::string title = title_of(draft.spec);
  if (title.empty()) return Problem{400, "Dashboard title cannot be empty", "BadRequest", nullptr, "empty-name"};
  if (title.size() > max_title) return bad_request_problem("Dashboard title cannot be longer than 5000 characters");
  if (auto problem = uid_problem(draft.name)) return problem;
  if (has_long_tag(draft.spec)) return bad_request_problem("dashboard tag too long, max 50 characters");
  if (annotated(draft, annotation::message).size() > max_message) {
    return bad_request_problem("message too long, max 500 characters");
  }
  if (is_refresh_too_low(world, draft.spec)) return bad_request_problem("Dashboard refresh interval is too low");
  const std::string folder = annotated(draft, annotation::folder);
  if (!folder.empty() && world.resources.find(Kind::folder, org, folder) == nullptr) return missing_folder(folder);
  return std::nullopt;
}

std::optional<Problem> new_folder_problem(const World& world, std::int64_t org, const Draft& draft) {
  if (draft.name == "general" || draft.name == "sharedwithme") {
    return Problem{500, "Folder API error: invalid uid for folder provided", "", nullptr, ""};
  }
  if (auto problem = uid_problem(draft.name)) {
    problem->reason.clear();
    return problem;
  }
  if (trim(title_of(draft.spec)).empty()) return Problem{400, "folder title cannot be empty", "", nullptr, ""};
  const std::string parent = annotated(draft, annotation::folder);
  if (parent == draft.name) return Problem{400, "folder cannot be parent of itself", "", nullptr, ""};
  if (world.resources.find(Kind::folder, org, draft.name) != nullptr) {
    return Problem{412, "the folder has been changed by someone else", "", nullptr, ""};
  }
  // A parent that does not exist is accepted; one that is deep already is not.
  const auto above = world.resources.find(Kind::folder, org, parent);
  if (above != nullptr && depth_of(world, *above) + 1 > max_parents) return too_deep();
  return std::nullopt;
}

std::optional<Problem> changed_folder_problem(const World& world, const Resource& current, const Draft& draft) {
  if (title_of(draft.spec).empty()) return Problem{500, "folder title cannot be empty", "", nullptr, ""};
  const std::string parent = annotated(draft, annotation::folder);
  if (parent == current.folder() || parent.empty()) return std::nullopt;
  if (parent == current.name) return circular_move();
  const auto target = world.resources.find(Kind::folder, current.org, parent);
  if (target == nullptr) {
    return Problem{500, "move target not found " + missing_folder(parent).message, "", nullptr, ""};
  }
  if (is_below(world, *target, current.name)) return circular_move();
  std::size_t height = 0;
  for (const ResourcePtr& item : subtree(world, world.resources.find(Kind::folder, current.org, current.name))) {
    if (item->kind == Kind::folder) height = std::max(height, depth_of(world, *item) - depth_of(world, current));
  }
  if (depth_of(world, *target) + 1 + height > max_parents) return too_deep();
  return std::nullopt;
}

std::vector<ResourcePtr> ancestors(const World& world, const Resource& folder) {
  std::vector<ResourcePtr> above;
  // Bounded: two folders may be made each other's parent, as a missing parent is accepted.
  for (auto next = parent_of(world, folder); next != nullptr && above.size() < 16; next = parent_of(world, *next)) {
    above.insert(above.begin(), next);
  }
  return above;
}

std::vector<ResourcePtr> subtree(const World& world, const ResourcePtr& folder) {
  std::vector<ResourcePtr> found = {folder};
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]->kind != Kind::folder) continue;
    for (const Kind kind : {Kind::folder, Kind::dashboard}) {
      for (const ResourcePtr& item : world.resources.all(kind, folder->org)) {
        const bool new_here = std::ranges::find(found, item) == found.end();
        if (item->folder() == found[i]->name && new_here) found.push_back(item);
      }
    }
  }
  return found;
}

bool is_empty_folder(const World& world, const Resource& folder) {
  return subtree(world, world.resources.find(Kind::folder, folder.org, folder.name)).size() == 1;
}

std::optional<double> seconds_of_duration(std::string_view text) {
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto letters = std::min(text.size(), text.find_first_of("0123456789."));
    const auto unit = unit_seconds(text.substr(0, letters));
    if (!unit) return std::nullopt;
    sum += number * *unit;
    text.remove_prefix(letters);
  }
  return sum;
}

bool is_refresh_too_low(const World& world, const Json& spec) {
  const auto refresh = spec.find("refresh");
  if (refresh == spec.end() || !refresh->is_string()) return false;
  const auto seconds = seconds_of_duration(refresh->get<std::string>());
  const auto least = seconds_of_duration(world.settings.min_refresh_interval);
  return seconds && least && *seconds < *least;
}

}  // namespace graft::simulator
