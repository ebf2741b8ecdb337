// Users, as server administrators make, look up and remove them.
#include <algorithm>

#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "text.hpp"
#include "user_json.hpp"

namespace graft::simulator {
namespace {

User* user_in_path(Call& call) {
  const auto id = call.id("userId");
  const auto found = id ? call.world.users.find(*id) : call.world.users.end();
  return found == call.world.users.end() ? nullptr : &found->second;
}

Reply no_such_user() { return message_reply(404, "user not found"); }

bool is_taken(World& world, const std::string& login, const std::string& email) {
  return std::ranges::any_of(
      world.users, [&](const auto& item) { return item.second.login == login || item.second.email == email; });
}

void forget_user(World& world, std::int64_t id) {
  for (auto& [org, members] : world.members) members.erase(id);
  world.users.erase(id);
}

Reply set_disabled(Call& call, bool disabled, std::string_view message) {
  User* user = user_in_path(call);
  if (user == nullptr) return no_such_user();
  user->disabled = disabled;
  user->updated = call.world.clock.now();
  return message_reply(200, message);
}

std::optional<Reply> unfit(Call& call, const User& user, const std::string& password) {
  if (user.login.empty() && user.email.empty()) {
    return coded_reply(400, "user.empty-username-and-email", "Need to specify either username or email");
  }
  if (password.size() < 4) return coded_reply(400, "password.password-policy-too-short", "New password is too short");
  if (!call.world.organizations.contains(user.org)) {
    const std::string id = std::to_string(user.org);
    return message_reply(400, "[org.notFound] failed to get organization with ID: " + id);
  }
  return std::nullopt;
}

}  // namespace

Json user_json(const User& user) {
  return {{"id", user.id},
          {"uid", user.uid},
          {"email", user.email},
          {"name", user.name},
          {"login", user.login},
          {"theme", ""},
          {"orgId", user.org},
          {"isGrafanaAdmin", user.server_admin},
          {"isDisabled", user.disabled},
          {"isExternal", false},
          {"isExternallySynced", false},
          {"isGrafanaAdminExternallySynced", false},
          {"authLabels", Json::array()},
          {"updatedAt", rfc3339(user.updated)},
          {"createdAt", rfc3339(user.created)},
          {"avatarUrl", avatar_url},
          {"isProvisioned", false}};
}

Json orgs_of_user_json(const World& world, std::int64_t user) {
  std::vector<Organization> orgs;
  for (const auto& [id, org] : world.organizations) {
    if (role_in(world, id, user)) orgs.push_back(org);
  }
  std::ranges::sort(orgs, {}, &Organization::name);
  Json list = Json::array();
  for (const Organization& org : orgs) {
    const Role role = *role_in(world, org.id, user);
    list.push_back({{"orgId", org.id}, {"name", org.name}, {"role", role_name(role)}});
  }
  return list;
}

Reply create_user(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  User user;
  std::string password;
  if (body) {
    user.login = lower_case(string_field(*body, "login", bad));
    user.email = lower_case(string_field(*body, "email", bad));
    user.name = string_field(*body, "name", bad);
    password = string_field(*body, "password", bad);
    user.org = integer_field(*body, "orgId", bad);
  }
  if (bad || password.empty()) return bad_request();
  if (user.org == 0) user.org = 1;
  if (const auto refused = unfit(call, user, password)) return *refused;
  if (user.login.empty()) user.login = user.email;
  if (user.email.empty()) user.email = user.login;
  if (is_taken(call.world, user.login, user.email)) {
    return message_reply(412, "User with email '" + user.email + "' or username '" + user.login + "' already exists");
  }
  user.id = call.world.next_user_id++;
  user.uid = short_uid();
  user.password_hash = hash_of_password(password);
  user.created = user.updated = call.world.clock.now();
  call.world.members[user.org][user.id] = Role::viewer;
  call.world.users[user.id] = user;
  return json_reply({{"id", user.id}, {"uid", user.uid}, {"message", "User created"}});
}

Reply delete_user(Call& call) {
  const User* user = user_in_path(call);
  if (user == nullptr) return no_such_user();
  forget_user(call.world, user->id);
  return message_reply(200, "User deleted");
}

Reply set_user_password(Call& call) {
  const auto body = struct_body(call.request);
  bool bad = !body;
  const std::string password = body ? string_field(*body, "password", bad) : "";
  if (bad) return bad_request();
  User* user = user_in_path(call);
  if (user == nullptr) return no_such_user();
  if (password.size() < 4) return coded_reply(400, "password.password-policy-too-short", "New password is too short");
  user->password_hash = hash_of_password(password);
  user->updated = call.world.clock.now();
  // The lock of a name that failed too often is opened by this, too.
  call.world.failed_logins.erase(user->login);
  return message_reply(200, "User password updated");
}

Reply disable_user(Call& call) { return set_disabled(call, true, "User disabled"); }

Reply enable_user(Call& call) { return set_disabled(call, false, "User enabled"); }

Reply get_user(Call& call) {
  const User* user = user_in_path(call);
  if (user == nullptr) return no_such_user();
  Json shown = user_json(*user);
  return json_reply(shown);
}

Reply get_user_orgs(Call& call) {
  const auto id = call.id("userId");
  return json_reply(orgs_of_user_json(call.world, id.value_or(0)));
}

Reply look_up_user(Call& call) {
  const User* user = find_user(call.world, call.request.parameter("loginOrEmail"));
  if (user == nullptr) return no_such_user();
  return json_reply(user_json(*user));
}

}  // namespace graft::simulator
