#include "caller.hpp"

#include <algorithm>

#include "replies.hpp"
#include "text.hpp"
#include "token_key.hpp"

namespace graft::simulator {
namespace {

constexpr std::chrono::minutes lockout_window{5};
constexpr std::chrono::minutes used_at_interval{5};
constexpr std::chrono::seconds identity_memory{5};

using Identified = std::variant<Caller, Reply>;

Reply wrong_password() { return unauthorized("password-auth.failed", "Invalid username or password"); }

// The namespace in an /apis path, else ?targetOrgId, else the header. What is no positive number is ignored.
std::optional<std::int64_t> requested_org(const Request& request) {
  if (request.segments.size() > 4 && request.segments[0] == "apis" && request.segments[3] == "namespaces") {
    if (const auto org = org_of_namespace(request.segments[4])) return org;
  }
  const auto positive = [](const std::string& text) {
    const auto number = to_integer(trim(text));
    return number && *number > 0 ? number : std::nullopt;
  };
  if (const auto org = positive(request.parameter("targetOrgId"))) return org;
  return positive(request.header("x-grafana-org-id"));
}

// Only members are remembered: who was just added is let in at once, who was removed stays for a few seconds.
CachedIdentity* remembered(World& world, const std::string& key) {
  const auto found = world.identities.find(key);
  if (found == world.identities.end() || found->second.until <= world.clock.now()) return nullptr;
  return &found->second;
}

std::string memory_key(char kind, std::int64_t id, std::int64_t org) {
  return kind + std::to_string(id) + "@" + std::to_string(org);
}

std::optional<Role> user_role(World& world, const User& user, std::int64_t org) {
  const std::string key = memory_key('u', user.id, org);
  if (const CachedIdentity* known = remembered(world, key)) return known->role;
  const auto role = role_in(world, org, user.id);
  if (role) world.identities[key] = {*role, user.disabled, world.clock.now() + identity_memory};
  return role;
}

bool is_locked(World& world, const std::string& login) {
  if (!world.settings.brute_force_protection) return false;
  auto& failures = world.failed_logins[login];
  std::erase_if(failures, [&](Time failure) { return failure <= world.clock.now() - lockout_window; });
  return static_cast<std::int64_t>(failures.size()) >= world.settings.brute_force_attempts;
}

Identified by_password(World& world, const Request& request, const std::string& login, const std::string& password) {
  const std::string typed = lower_case(login);
  if (is_locked(world, typed)) {
    ++world.refused_logins;
    return wrong_password();
  }
  User* user = find_user(world, login);
  if (user == nullptr || user->password_hash != hash_of_password(password)) {
    if (world.settings.brute_force_protection) world.failed_logins[typed].push_back(world.clock.now());
    ++world.refused_logins;
    return wrong_password();
  }
  if (user->disabled) return unauthorized("identity.disabled", "Unauthorized");
  user->seen = world.clock.now();
  Caller caller;
  caller.kind = Caller::Kind::user;
  caller.id = user->id;
  caller.login = user->login;
  caller.subject = "user:" + user->uid;
  caller.server_admin = user->server_admin;
  caller.org = requested_org(request).value_or(user->org);
  caller.role = user_role(world, *user, caller.org);
  return caller;
}

Identified as_account(World& world, const Request& request, Token& token) {
  const ServiceAccount& account = world.accounts.at(token.account);
  const auto org = requested_org(request);
  if (org && *org != token.org) {
    return unauthorized("api-key.organization-mismatch", "API key does not belong to the requested organization");
  }
  const std::string key = memory_key('s', account.id, account.org);
  if (remembered(world, key) == nullptr) {
    world.identities[key] = {account.role, account.disabled, world.clock.now() + identity_memory};
  }
  const CachedIdentity& identity = world.identities[key];
  if (identity.disabled) return unauthorized("identity.disabled", "Unauthorized");
  if (!token.used || *token.used <= world.clock.now() - used_at_interval) token.used = world.clock.now();
  Caller caller;
  caller.kind = Caller::Kind::account;
  caller.id = account.id;
  caller.login = account.login;
  caller.subject = "service-account:" + account.uid;
  caller.org = account.org;
  caller.role = identity.role;
  return caller;
}

Identified by_key(World& world, const Request& request, const std::string& key) {
  if (!is_well_formed_key(key)) return unauthorized("api-key.invalid", "Invalid API key");
  const std::string hash = hash_of_key(key);
  const auto found = std::ranges::find_if(world.tokens, [&](const auto& item) { return item.second.key_hash == hash; });
  if (found == world.tokens.end()) return unauthorized_without_id();
  Token& token = found->second;
  if (token.expires && *token.expires <= world.clock.now()) {
    return unauthorized("api-key.expired", "Expired API key");
  }
  if (token.revoked) return unauthorized("api-key.revoked", "Revoked API key");
  return as_account(world, request, token);
}

}  // namespace

std::variant<Caller, Reply> identify(World& world, const Request& request) {
  const std::string header = request.header("authorization");
  if (header.starts_with("Bearer ")) {
    const std::string key = trim(std::string_view(header).substr(7));
    if (!key.empty()) return by_key(world, request, key);
  }
  if (!header.starts_with("Basic ")) return Caller{};
  const auto pair = base64_decode(trim(std::string_view(header).substr(6)));
  const auto colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return Caller{};
  const std::string login = pair->substr(0, colon);
  const std::string password = pair->substr(colon + 1);
  if (login == "api_key") return by_key(world, request, password);
  if (!world.settings.basic_auth) return Caller{};
  return by_password(world, request, login, password);
}

std::optional<std::int64_t> org_of_namespace(std::string_view name) {
  if (name == "default") return 1;
  if (!name.starts_with("org-")) return std::nullopt;
  const auto number = to_integer(name.substr(4));
  return number && *number > 1 ? number : std::nullopt;
}

std::string namespace_of_org(std::int64_t org) { return org == 1 ? "default" : "org-" + std::to_string(org); }

}  // namespace graft::simulator
