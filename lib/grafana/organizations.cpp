#include "grafana/organizations.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grafana/json_fields.hpp"

namespace graft::grafana {

namespace {

using nlohmann::json;

Result<Identity> read_identity(const json& user) {
  Identity identity;
  identity.login = text_of(user, "login");
  identity.email = text_of(user, "email");
  identity.server_admin = flag_of(user, "isGrafanaAdmin");
  // 12.4: a key answers with id 0 and uid "service-account:<id>" [run]; a person's uid is any other text.
  const std::string uid = text_of(user, "uid");
  constexpr std::string_view prefix = "service-account:";
  if (uid.starts_with(prefix)) {
    identity.account = AccountId(number_from(uid.substr(prefix.size())));
    identity.organization = OrgId(number_of(user, "orgId"));
  } else {
    identity.user = UserId(number_of(user, "id"));
  }
  if (identity.login.empty()) return fail(ErrorCode::protocol, "GET /api/user: the answer names no login");
  return identity;
}

}  // namespace

asio::awaitable<Result<Identity>> who_am_i(Api& api) {
  Call call("GET", "/api/user", "logging in to Grafana");
  call.probe = true;
  call.idempotent = false;  // every try with a wrong password counts at Grafana
  Result<json> user = co_await api.fetch(std::move(call));
  if (!user) co_return fail(std::move(user.error()));
  co_return read_identity(*user);
}

asio::awaitable<Result<Identity>> whose_key(Api& api, const Secret& key) {
  Call call("GET", "/api/user", "asking Grafana whose key it is");
  call.key = &key;
  Result<json> user = co_await api.fetch(std::move(call));
  if (!user) co_return fail(std::move(user.error()));
  co_return read_identity(*user);
}

asio::awaitable<Result<std::vector<Organization>>> list_organizations(Api& api) {
  // Paging counts from 0 here and there is no order and no total: one call that holds all (grafana-api.md section 2).
  Call call("GET", "/api/orgs?perpage=100000&page=0", "listing organizations");
  Result<json> list = co_await api.fetch(std::move(call));
  if (!list) co_return fail(std::move(list.error()));
  const auto items = list_in(*list, "listing organizations");
  if (!items) co_return fail(items.error());
  std::vector<Organization> organizations;
  for (const json& one : **items) organizations.push_back({OrgId(number_of(one, "id")), text_of(one, "name")});
  co_return organizations;
}

asio::awaitable<Result<Organization>> current_organization(Api& api) {
  Call call("GET", "/api/org", "asking Grafana for the organization of the key");
  Result<json> organization = co_await api.fetch(std::move(call));
  if (!organization) co_return fail(std::move(organization.error()));
  Organization found{OrgId(number_of(*organization, "id")), text_of(*organization, "name")};
  co_return found;
}

asio::awaitable<Result<std::vector<Membership>>> my_memberships(Api& api) {
  Call call("GET", "/api/user/orgs", "listing our own memberships");
  Result<json> list = co_await api.fetch(std::move(call));
  if (!list) co_return fail(std::move(list.error()));
  const auto items = list_in(*list, "listing our own memberships");
  if (!items) co_return fail(items.error());
  std::vector<Membership> memberships;
  for (const json& one : **items) memberships.push_back({OrgId(number_of(one, "orgId")), text_of(one, "role")});
  co_return memberships;
}

asio::awaitable<Result<OrgId>> create_organization(Api& api, const std::string& name) {
  Call call("POST", "/api/orgs", fmt::format("creating organization {}", quote(name)));
  call.access = Access::lane;
  call.idempotent = false;
  call.body = json{{"name", name}}.dump();
  Result<json> made = co_await api.fetch(std::move(call));
  if (!made) co_return fail(std::move(made.error()));
  const OrgId id(number_of(*made, "orgId"));
  if (id.value() <= 0)
    co_return fail(ErrorCode::protocol, fmt::format("creating organization {}: the answer has no orgId", quote(name)));
  co_return id;
}

asio::awaitable<Result<std::vector<Member>>> list_members(Api& api, OrgId organization) {
  Call call("GET", fmt::format("/api/orgs/{}/users", organization.value()), "listing members");
  Result<json> list = co_await api.fetch(std::move(call));
  if (!list) co_return fail(std::move(list.error()));
  const auto items = list_in(*list, "listing members");
  if (!items) co_return fail(items.error());
  std::vector<Member> members;
  for (const json& one : **items)
    members.push_back(
        {UserId(number_of(one, "userId")), text_of(one, "login"), text_of(one, "email"), text_of(one, "role")});
  co_return members;
}

asio::awaitable<Status> add_member(Api& api, OrgId organization, const std::string& login_or_email,
                                   const std::string& role) {
  Call call("POST", fmt::format("/api/orgs/{}/users", organization.value()),
            fmt::format("adding member {}", quote(login_or_email)));
  call.access = Access::write;
  call.idempotent = false;
  call.body = json{{"loginOrEmail", login_or_email}, {"role", role}}.dump();
  Result<json> added = co_await api.fetch(std::move(call));
  if (added) co_return Status{};
  Error error = std::move(added.error());
  if (error.code == ErrorCode::not_found)
    error.hint = "no such user in Grafana; create the user first (graftd does not manage users yet)";
  co_return fail(std::move(error));
}

asio::awaitable<Status> set_member_role(Api& api, OrgId organization, UserId user, const std::string& role) {
  Call call("PATCH", fmt::format("/api/orgs/{}/users/{}", organization.value(), user.value()),
            fmt::format("changing the role of user {} to {}", user.value(), role));
  call.access = Access::write;
  call.body = json{{"role", role}}.dump();
  Result<json> changed = co_await api.fetch(std::move(call));
  if (!changed) co_return fail(std::move(changed.error()));
  co_return Status{};
}

}  // namespace graft::grafana
