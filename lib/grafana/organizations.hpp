// Grafana's organizations, their members, and who we are. Facts: grafana-api.md sections 0.3, 2 and 3 (12.4 [run]).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/strong.hpp"
#include "grafana/api.hpp"

namespace graft::grafana {

// Who the login is. With a service-account key `account` and `organization` are set; with a password `user`.
struct Identity {
  std::string login, email;
  UserId user;
  AccountId account;
  OrgId organization;  // the one the key is bound to; 0 with a password, whose stored organization means nothing
  bool server_admin = false;
  [[nodiscard]] bool is_key() const { return account.value() > 0; }
};

struct Organization {
  OrgId id;
  std::string name;
};

struct Membership {
  OrgId organization;
  std::string role;  // "Admin"
};

struct Member {
  UserId user;
  std::string login, email, role;
};

// GET /api/user: the probe of a login; with anonymous access on, the one call that still refuses a bad one.
[[nodiscard]] asio::awaitable<Result<Identity>> who_am_i(Api& api);
// The same with a key at hand: whose key is it? ErrorCode::unauthenticated when Grafana refuses it.
[[nodiscard]] asio::awaitable<Result<Identity>> whose_key(Api& api, const Secret& key);

[[nodiscard]] asio::awaitable<Result<std::vector<Organization>>> list_organizations(Api& api);  // all, in one call
[[nodiscard]] asio::awaitable<Result<Organization>> current_organization(Api& api);             // of a key
[[nodiscard]] asio::awaitable<Result<std::vector<Membership>>> my_memberships(Api& api);
[[nodiscard]] asio::awaitable<Result<OrgId>> create_organization(Api& api, const std::string& name);

[[nodiscard]] asio::awaitable<Result<std::vector<Member>>> list_members(Api& api, OrgId organization);
[[nodiscard]] asio::awaitable<Status> add_member(Api& api, OrgId organization, const std::string& login_or_email,
                                                 const std::string& role);
[[nodiscard]] asio::awaitable<Status> set_member_role(Api& api, OrgId organization, UserId user,
                                                      const std::string& role);

}  // namespace graft::grafana
