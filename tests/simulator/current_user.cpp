// What the caller can learn of itself, and the switch of its stored organization.
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "user_json.hpp"

namespace graft::simulator {
namespace {

Json account_as_user(const ServiceAccount& account) {
  User user;
  user.uid = "service-account:" + std::to_string(account.id);
  user.email = user.login = account.login;
  user.name = account.name;
  user.org = account.org;
  Json shown = user_json(user);
  shown["authLabels"] = nullptr;
  shown["updatedAt"] = shown["createdAt"] = "0001-01-01T00:00:00Z";
  shown["avatarUrl"] = "";
  return shown;
}

}  // namespace

Reply current_user(Call& call) {
  if (call.caller.kind == Caller::Kind::account) {
    return json_reply(account_as_user(call.world.accounts.at(call.caller.id)));
  }
  // The stored organization, not the one of the header.
  return json_reply(user_json(call.world.users.at(call.caller.id)));
}

Reply current_user_orgs(Call& call) {
  // Grafana has nothing to say to a key here and answers "not modified".
  if (call.caller.kind == Caller::Kind::account) return {304, "", "", {}};
  return json_reply(orgs_of_user_json(call.world, call.caller.id));
}

Reply use_organization(Call& call) {
  const auto org = call.id("orgId");
  if (!org) return message_reply(400, "id is invalid");
  const bool user = call.caller.kind == Caller::Kind::user;
  if (!user || !role_in(call.world, *org, call.caller.id)) return message_reply(401, "Not a valid organization");
  call.world.users.at(call.caller.id).org = *org;
  return message_reply(200, "Active organization changed");
}

}  // namespace graft::simulator
