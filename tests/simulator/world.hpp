// Everything the simulated Grafana remembers, as plain values. One mutex outside (simulator.cpp) guards all of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clock.hpp"
#include "resources.hpp"
#include "settings.hpp"

namespace graft::simulator {

enum class Role { none, viewer, editor, admin };

std::string_view role_name(Role role);
std::optional<Role> role_of(std::string_view text);  // any letter case

struct Organization {
  std::int64_t id = 0;
  std::string name;
};

struct User {
  std::int64_t id = 0;
  std::string uid, login, email, name;
  std::string password_hash;
  bool server_admin = false;
  bool disabled = false;
  std::int64_t org = 1;  // the stored, "active" organization; may dangle
  Time created, updated;
  std::optional<Time> seen;
};

struct ServiceAccount {
  std::int64_t id = 0;
  std::string uid, login, name;
  std::int64_t org = 0;
  Role role = Role::viewer;
  bool disabled = false;
  Time created, updated;
};

struct Token {
  std::int64_t id = 0;
  std::int64_t account = 0;
  std::int64_t org = 0;
  std::string name;
  std::string key_hash;  // the key itself is told once and forgotten
  Time created;
  std::optional<Time> expires;
  std::optional<Time> used;
  bool revoked = false;  // by Grafana's leak scanner; no route does it
};

// What Grafana remembers of a user or account for five seconds, per organization.
struct CachedIdentity {
  Role role = Role::none;
  bool disabled = false;
  Time until;
};

struct World {
  World(Settings chosen, bool frozen_clock);

  Settings settings;
  Clock clock;
  std::map<std::int64_t, Organization> organizations;
  std::map<std::int64_t, User> users;
  std::map<std::int64_t, ServiceAccount> accounts;
  std::map<std::int64_t, Token> tokens;
  std::vector<std::string> issued_keys;                          // for tests that look for them where they must not be
  std::map<std::int64_t, std::map<std::int64_t, Role>> members;  // organization, user
  Resources resources;
  std::map<std::string, std::vector<Time>> failed_logins;  // lower-case login as typed
  std::map<std::string, CachedIdentity> identities;
  std::size_t refused_logins = 0;

  std::int64_t next_organization_id = 1;
  std::int64_t next_user_id = 1;  // users and service accounts share their ids
  std::int64_t next_token_id = 1;
};

void add_first_user(World& world, const std::string& login, const std::string& password);

std::string short_uid();  // as Grafana makes them for users and folders: 14 lower-case letters and digits
std::string hash_of_password(std::string_view password);
User* find_user(World& world, std::string_view login_or_email);
Organization* find_organization(World& world, std::int64_t id);
std::optional<Role> role_in(const World& world, std::int64_t org, std::int64_t user);
bool is_last_admin(const World& world, std::int64_t org, std::int64_t user);
void remove_account(World& world, std::int64_t id);
void remove_organization(World& world, std::int64_t id);

}  // namespace graft::simulator
