// Members of organizations: /api/orgs/:orgId/users for any organization, /api/org/users for the caller's.
#include <algorithm>

#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "text.hpp"
#include "user_json.hpp"

namespace graft::simulator {
namespace {

// Who never signed in was last seen ten years before being made.
constexpr std::chrono::hours never_seen{24 * 365 * 10 + 24 * 3};

Json member_json(const World& world, std::int64_t org, const User& user, Role role) {
  const Time seen = user.seen.value_or(user.created - never_seen);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(world.clock.now() - seen);
  return {{"orgId", org},
          {"userId", user.id},
          {"uid", user.uid},
          {"email", user.email},
          {"name", user.name},
          {"avatarUrl", avatar_url},
          {"login", user.login},
          {"role", role_name(role)},
          {"lastSeenAt", rfc3339(seen)},
          {"created", rfc3339(user.created)},
          {"lastSeenAtAge", age_text(age)},
          {"isDisabled", user.disabled},
          {"authLabels", nullptr},
          {"isExternallySynced", false},
          {"isProvisioned", false}};
}

std::vector<Json> members_json(const World& world, std::int64_t org, const std::string& query) {
  std::vector<Json> list;
  const auto members = world.members.find(org);
  if (members == world.members.end()) return list;
  for (const auto& [id, role] : members->second) {
    const User& user = world.users.at(id);
    const bool wanted = contains_ignoring_case(user.login, query) || contains_ignoring_case(user.email, query) ||
                        contains_ignoring_case(user.name, query);
    if (wanted) list.push_back(member_json(world, org, user, role));
  }
  const auto key = [](const Json& item) { return std::pair(item["login"], item["email"]); };
  std::ranges::sort(list, {}, key);
  return list;
}

Reply add(Call& call, std::int64_t org) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  const std::string login = body ? string_field(*body, "loginOrEmail", bad) : "";
  const auto role = role_of(body ? string_field(*body, "role", bad) : "");
  if (bad || login.empty() || !role) return bad_request();
  const User* user = find_user(call.world, login);
  if (user == nullptr) return message_reply(404, "User not found");
  if (!call.world.organizations.contains(org)) return message_reply(500, "Could not add user to organization");
  if (role_in(call.world, org, user->id)) {
    return json_reply({{"message", "User is already member of this organization"}, {"userId", user->id}}, 409);
  }
  call.world.members[org][user->id] = *role;
  return json_reply({{"message", "User added to organization"}, {"userId", user->id}});
}

// The stored organization of somebody who leaves it becomes another one of theirs.
void move_active_org(World& world, User& user) {
  for (const auto& [org, members] : world.members) {
    if (members.contains(user.id)) {
      user.org = org;
      return;
    }
  }
}

// An error, or nothing when the user is a member no longer.
std::optional<Reply> remove_from(Call& call, std::int64_t org, std::int64_t user) {
  if (!call.world.users.contains(user)) return message_reply(500, "Failed to remove user from organization");
  if (!role_in(call.world, org, user)) return std::nullopt;
  if (role_in(call.world, org, user) == Role::admin && is_last_admin(call.world, org, user)) {
    return message_reply(400, "Cannot remove last organization admin");
  }
  call.world.members[org].erase(user);
  if (call.world.users.at(user).org == org) move_active_org(call.world, call.world.users.at(user));
  return std::nullopt;
}

}  // namespace

Reply list_members(Call& call) { return json_reply(members_json(call.world, *call.id("orgId"), "")); }

Reply search_members(Call& call) {
  const auto found = members_json(call.world, *call.id("orgId"), call.request.parameter("query"));
  const auto positive = [&](const char* name, std::int64_t otherwise) {
    const auto value = to_integer(call.request.parameter(name)).value_or(0);
    return value > 0 ? value : otherwise;
  };
  const auto size = positive("perpage", 1000);
  const auto page = positive("page", 1);
  Json shown = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (static_cast<std::int64_t>(i) / size == page - 1) shown.push_back(found[i]);
  }
  return json_reply({{"totalCount", found.size()}, {"orgUsers", shown}, {"page", page}, {"perPage", size}});
}

Reply add_member(Call& call) { return add(call, *call.id("orgId")); }

Reply change_member(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  const auto role = role_of(body ? string_field(*body, "role", bad) : "");
  const auto user = call.id("userId");
  if (bad || !role || !user) return bad_request();
  const std::int64_t org = *call.id("orgId");
  const auto current = role_in(call.world, org, *user);
  if (!current) return message_reply(500, "Failed update org user");
  if (current == Role::admin && *role != Role::admin && is_last_admin(call.world, org, *user)) {
    return message_reply(400, "Cannot change role so that there is no organization admin left");
  }
  call.world.members[org][*user] = *role;
  return message_reply(200, "Organization user updated");
}

Reply remove_member(Call& call) {
  const auto user = call.id("userId");
  if (!user) return message_reply(400, "userId is invalid");
  if (const auto refused = remove_from(call, *call.id("orgId"), *user)) return *refused;
  return message_reply(200, "User removed from organization");
}

Reply list_own_members(Call& call) { return json_reply(members_json(call.world, call.caller.org, "")); }

Reply add_own_member(Call& call) { return add(call, call.caller.org); }

Reply remove_own_member(Call& call) {
  const auto user = call.id("userId");
  if (!user) return message_reply(400, "userId is invalid");
  if (const auto refused = remove_from(call, call.caller.org, *user)) return *refused;
  const bool homeless =
      std::ranges::none_of(call.world.members, [&](const auto& item) { return item.second.contains(*user); });
  if (!homeless) return message_reply(200, "User removed from organization");
  // This route, unlike the one for any organization, deletes an account that has no organization left.
  call.world.users.erase(*user);
  return message_reply(200, "User deleted");
}

}  // namespace graft::simulator
