#include "world.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::array<std::string_view, 4> role_names = {"None", "Viewer", "Editor", "Admin"};

}  // namespace

World::World(Settings chosen, bool frozen_clock) : settings(std::move(chosen)), clock(frozen_clock), resources(clock) {}

std::string_view role_name(Role role) { return role_names.at(static_cast<std::size_t>(role)); }

std::optional<Role> role_of(std::string_view text) {
  for (std::size_t i = 0; i < role_names.size(); ++i) {
    if (ascii_lower(text) == ascii_lower(role_names.at(i))) return static_cast<Role>(i);
  }
  return std::nullopt;
}

void add_first_user(World& world, const std::string& login, const std::string& password) {
  const std::int64_t org = world.next_organization_id++;
  world.organizations[org] = {org, "Main Org."};
  User user;
  user.id = world.next_user_id++;
  user.uid = short_uid();
  user.login = login;
  user.email = login + "@localhost";
  user.password_hash = hash_of_password(password);
  user.server_admin = true;
  user.org = org;
  user.created = user.updated = world.clock.now();
  world.members[org][user.id] = Role::admin;
  world.users[user.id] = user;
}

std::string short_uid() {
  std::string uid = ascii_lower(random_letters(14));
  uid[0] = "abcdefg"[static_cast<std::size_t>(uid[0]) % 7];
  return uid;
}

std::string hash_of_password(std::string_view password) { return sha256("password:" + std::string(password)); }

User* find_user(World& world, std::string_view login_or_email) {
  const std::string wanted = ascii_lower(login_or_email);
  const auto find = [&](auto member) -> User* {
    for (auto& [id, user] : world.users) {
      if (user.*member == wanted) return &user;
    }
    return nullptr;
  };
  User* by_email = wanted.find('@') == std::string::npos ? nullptr : find(&User::email);
  return by_email != nullptr ? by_email : find(&User::login);
}

Organization* find_organization(World& world, std::int64_t id) {
  const auto found = world.organizations.find(id);
  return found == world.organizations.end() ? nullptr : &found->second;
}

std::optional<Role> role_in(const World& world, std::int64_t org, std::int64_t user) {
  const auto members = world.members.find(org);
  if (members == world.members.end()) return std::nullopt;
  const auto member = members->second.find(user);
  if (member == members->second.end()) return std::nullopt;
  return member->second;
}

bool is_last_admin(const World& world, std::int64_t org, std::int64_t user) {
  // Admin service accounts count: they are members in Grafana's table.
  for (const auto& [id, account] : world.accounts) {
    if (account.org == org && account.role == Role::admin) return false;
  }
  const auto members = world.members.find(org);
  if (members == world.members.end()) return false;
  return std::ranges::none_of(members->second,
                              [&](const auto& member) { return member.first != user && member.second == Role::admin; });
}

void remove_account(World& world, std::int64_t id) {
  std::erase_if(world.tokens, [&](const auto& item) { return item.second.account == id; });
  world.accounts.erase(id);
}

void remove_organization(World& world, std::int64_t id) {
  world.resources.remove_all(id);
  world.members.erase(id);
  std::erase_if(world.tokens, [&](const auto& item) { return item.second.org == id; });
  std::erase_if(world.accounts, [&](const auto& item) { return item.second.org == id; });
  world.organizations.erase(id);
}

}  // namespace graft::simulator
