// Service accounts. An account is known by its login, fixed when it is made; its name may change and be anyone's.
#include <algorithm>

#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "service_account_lookup.hpp"
#include "text.hpp"
#include "user_json.hpp"

namespace graft::simulator {
namespace {

constexpr std::int64_t listed_tokens = 300;

std::int64_t token_count(const World& world, std::int64_t account) {
  return std::ranges::count_if(world.tokens, [&](const auto& item) { return item.second.account == account; });
}

bool has_expired_token(const World& world, std::int64_t account) {
  return std::ranges::any_of(world.tokens, [&](const auto& item) {
    const Token& token = item.second;
    return token.account == account && token.expires && *token.expires <= world.clock.now();
  });
}

Json base_json(const ServiceAccount& account) {
  return {{"id", account.id},
          {"uid", account.uid},
          {"name", account.name},
          {"login", account.login},
          {"orgId", account.org},
          {"isDisabled", account.disabled},
          {"role", role_name(account.role)}};
}

Json details_json(const World& world, const ServiceAccount& account, bool with_tokens) {
  Json shown = base_json(account);
  shown["createdAt"] = rfc3339(account.created);
  shown["updatedAt"] = rfc3339(account.updated);
  shown["avatarUrl"] = avatar_url;
  shown["teams"] = nullptr;
  // Counted over the list, which is cut; the search below has the true number.
  const auto tokens = std::min(token_count(world, account.id), listed_tokens);
  if (with_tokens && tokens > 0) shown["tokens"] = tokens;
  return shown;
}

std::string login_of(std::int64_t org, std::string_view name) {
  std::string login = lower_case(name);
  std::ranges::replace(login, ' ', '-');
  return "sa-" + std::to_string(org) + "-" + login;
}

bool is_wanted(const World& world, const ServiceAccount& account, const Call& call) {
  const std::string query = call.request.parameter("query");
  if (account.org != call.caller.org) return false;
  if (call.request.parameter("disabled") == "true" && !account.disabled) return false;
  if (call.request.parameter("expiredTokens") == "true" && !has_expired_token(world, account.id)) return false;
  if (call.request.parameter("external") == "true") return false;
  return contains_ignoring_case(account.name, query) || contains_ignoring_case(account.login, query);
}

struct Wanted {
  std::optional<std::string> name;
  std::optional<Role> role;
  std::optional<bool> disabled;
  bool bad = false;
};

Wanted read_body(const Request& request) {
  const auto body = struct_body(request);
  Wanted wanted;
  wanted.bad = !body;
  if (!body) return wanted;
  if (field(*body, "name") != nullptr) wanted.name = string_field(*body, "name", wanted.bad);
  if (field(*body, "isDisabled") != nullptr) wanted.disabled = bool_field(*body, "isDisabled", wanted.bad);
  if (field(*body, "role") != nullptr) {
    wanted.role = role_of(string_field(*body, "role", wanted.bad));
    if (!wanted.role) wanted.bad = true;
  }
  return wanted;
}

Reply role_too_high() {
  return coded_reply(403, "serviceaccounts.ErrRoleForbidden", "can not assign a role higher than user's role");
}

}  // namespace

Reply no_such_account() { return coded_reply(404, "serviceaccounts.ErrNotFound", "service account not found"); }

std::variant<ServiceAccount*, Reply> account_in_path(Call& call) {
  const std::string& wanted = call.name("accountId");
  const auto id = call.id("accountId");
  for (auto& [number, account] : call.world.accounts) {
    const bool named = id ? number == *id : account.uid == wanted;
    if (named && account.org == call.caller.org) return &account;
  }
  // A text that is no number is looked up as a uid by the router's resolver, whose "not found" is another.
  return id ? no_such_account() : route_not_found();
}

Reply search_service_accounts(Call& call) {
  std::vector<const ServiceAccount*> found;
  for (const auto& [id, account] : call.world.accounts) {
    if (is_wanted(call.world, account, call)) found.push_back(&account);
  }
  std::ranges::sort(found, {}, [](const ServiceAccount* account) { return account->login; });
  const auto positive = [&](const char* name, std::int64_t otherwise) {
    const auto value = to_integer(call.request.parameter(name)).value_or(0);
    return value > 0 ? value : otherwise;
  };
  const auto size = positive("perpage", 1000);
  const auto page = positive("page", 1);
  Json shown = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (static_cast<std::int64_t>(i) / size != page - 1) continue;
    Json item = base_json(*found[i]);
    item["tokens"] = token_count(call.world, found[i]->id);
    item["avatarUrl"] = avatar_url;
    shown.push_back(item);
  }
  return json_reply({{"totalCount", found.size()}, {"serviceAccounts", shown}, {"page", page}, {"perPage", size}});
}

Reply create_service_account(Call& call) {
  const Wanted wanted = read_body(call.request);
  if (wanted.bad || !wanted.name || wanted.name->empty()) return bad_request_sa();
  ServiceAccount account;
  account.role = wanted.role.value_or(Role::viewer);
  if (!call.caller.has(account.role)) return role_too_high();
  account.org = call.caller.org;
  account.name = *wanted.name;
  account.login = login_of(account.org, account.name);
  const bool taken =
      std::ranges::any_of(call.world.accounts, [&](const auto& item) { return item.second.login == account.login; });
  if (taken) return coded_reply(400, "serviceaccounts.ErrAlreadyExists", "service account already exists");
  account.id = call.world.next_user_id++;
  account.uid = short_uid();
  account.disabled = wanted.disabled.value_or(false);
  account.created = account.updated = call.world.clock.now();
  call.world.accounts[account.id] = account;
  Json shown = base_json(account);
  shown["tokens"] = 0;
  shown["avatarUrl"] = "";
  return json_reply(shown, 201);
}

Reply get_service_account(Call& call) {
  const auto found = account_in_path(call);
  if (const Reply* missing = std::get_if<Reply>(&found)) return *missing;
  return json_reply(details_json(call.world, *std::get<ServiceAccount*>(found), true));
}

Reply change_service_account(Call& call) {
  const auto found = account_in_path(call);
  if (const Reply* missing = std::get_if<Reply>(&found)) return *missing;
  const Wanted wanted = read_body(call.request);
  if (wanted.bad) return bad_request_sa();
  if (wanted.role && !call.caller.has(*wanted.role)) return role_too_high();
  ServiceAccount& account = *std::get<ServiceAccount*>(found);
  ServiceAccount shown = account;
  if (wanted.role) account.role = shown.role = *wanted.role;
  if (wanted.disabled) account.disabled = shown.disabled = *wanted.disabled;
  if (wanted.name) shown.name = *wanted.name;
  // An empty name is told back but not stored.
  if (wanted.name && !wanted.name->empty()) account.name = *wanted.name;
  account.updated = call.world.clock.now();
  return json_reply({{"id", account.id},
                     {"message", "Service account updated"},
                     {"name", shown.name},
                     {"serviceaccount", details_json(call.world, shown, false)}});
}

Reply delete_service_account(Call& call) {
  const auto found = account_in_path(call);
  if (const Reply* missing = std::get_if<Reply>(&found)) return *missing;
  remove_account(call.world, std::get<ServiceAccount*>(found)->id);
  return message_reply(200, "Service account deleted");
}

}  // namespace graft::simulator
