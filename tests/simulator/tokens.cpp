// Tokens of service accounts. Names are unique over the whole organization; an expired token keeps its name.
#include <algorithm>

#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "service_account_lookup.hpp"
#include "text.hpp"
#include "token_key.hpp"

namespace graft::simulator {
namespace {

constexpr std::size_t listed_tokens = 300;
constexpr std::int64_t seconds_a_day = 86400;
constexpr double soon = 7.0 * seconds_a_day;

double seconds_between(Time from, Time to) { return std::chrono::duration<double>(to - from).count(); }

Json token_json(const Token& token, Time now) {
  Json shown = {{"id", token.id},        {"name", token.name},        {"created", rfc3339(token.created)},
                {"lastUsedAt", nullptr}, {"expiration", nullptr},     {"secondsUntilExpiration", 0},
                {"hasExpired", false},   {"isRevoked", token.revoked}};
  if (token.used) shown["lastUsedAt"] = rfc3339(*token.used);
  if (!token.expires) return shown;
  shown["expiration"] = rfc3339(*token.expires);
  shown["hasExpired"] = *token.expires <= now;
  const double left = seconds_between(now, *token.expires);
  // Told only in the last week.
  if (left > 0 && left < soon) shown["secondsUntilExpiration"] = left;
  return shown;
}

std::optional<Reply> unfit_lifetime(const Settings& settings, std::int64_t seconds) {
  if (seconds < 0) return coded_reply(400, "serviceaccounts.ErrInvalidInput", "invalid SecondsToLive value");
  if (settings.key_max_seconds >= 0) {
    if (seconds == 0) return message_reply(400, "Number of seconds before expiration should be set");
    if (seconds > settings.key_max_seconds) {
      return message_reply(400, "Number of seconds before expiration is greater than the global limit");
    }
  }
  if (settings.token_day_limit > 0) {
    if (seconds == 0) {
      return message_reply(400,
                           "Cannot create token with no expiration date when "
                           "service_accounts.token_expiration_day_limit is set");
    }
    if (seconds > settings.token_day_limit * seconds_a_day) {
      return text_reply(
          400, "The expiration date input exceeds the limit for service account access tokens expiration date");
    }
  }
  return std::nullopt;
}

// Grafana multiplies to nanoseconds in 64 bits: a huge lifetime wraps, often into the past. So do we.
Time expiry(Time now, std::int64_t seconds) {
  const auto wrapped = static_cast<std::int64_t>(static_cast<std::uint64_t>(seconds) * 1'000'000'000ULL);
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  return whole + std::chrono::seconds(wrapped / 1'000'000'000);
}

bool is_taken(const World& world, std::int64_t org, const std::string& name) {
  return std::ranges::any_of(world.tokens,
                             [&](const auto& item) { return item.second.org == org && item.second.name == name; });
}

}  // namespace

Reply list_tokens(Call& call) {
  const auto found = account_in_path(call);
  // No such account: an empty list, not 404. A text that is no account's uid is still the router's 404.
  if (const Reply* missing = std::get_if<Reply>(&found))
    return call.id("accountId") ? json_reply(Json::array()) : *missing;
  std::vector<const Token*> tokens;
  for (const auto& [id, token] : call.world.tokens) {
    if (token.account == std::get<ServiceAccount*>(found)->id) tokens.push_back(&token);
  }
  std::ranges::sort(tokens, {}, [](const Token* token) { return token->name; });
  if (tokens.size() > listed_tokens) tokens.resize(listed_tokens);
  Json list = Json::array();
  for (const Token* token : tokens) list.push_back(token_json(*token, call.world.clock.now()));
  return json_reply(list);
}

Reply create_token(Call& call) {
  const auto found = account_in_path(call);
  if (const Reply* missing = std::get_if<Reply>(&found)) return *missing;
  const auto body = struct_body(call.request);
  bool bad = !body;
  Token token;
  if (body) token.name = string_field(*body, "name", bad);
  const std::int64_t seconds = body ? integer_field(*body, "secondsToLive", bad) : 0;
  if (bad || token.name.empty()) return bad_request_sa();
  if (const auto refused = unfit_lifetime(call.world.settings, seconds)) return *refused;
  token.org = call.caller.org;
  if (is_taken(call.world, token.org, token.name)) {
    return coded_reply(400, "serviceaccounts.ErrTokenAlreadyExists",
                       "service account token with given name already exists in the organization");
  }
  const std::string key = new_key();
  token.id = call.world.next_token_id++;
  token.account = std::get<ServiceAccount*>(found)->id;
  token.key_hash = hash_of_key(key);
  token.created = call.world.clock.now();
  if (seconds > 0) token.expires = expiry(token.created, seconds);
  call.world.tokens[token.id] = token;
  call.world.issued_keys.push_back(key);
  return json_reply({{"id", token.id}, {"name", token.name}, {"key", key}});
}

Reply delete_token(Call& call) {
  const auto found = account_in_path(call);
  if (const Reply* missing = std::get_if<Reply>(&found)) return *missing;
  const auto id = call.id("tokenId");
  if (!id) return message_reply(400, "Token ID is invalid");
  const auto token = call.world.tokens.find(*id);
  if (token == call.world.tokens.end() || token->second.account != std::get<ServiceAccount*>(found)->id) {
    return coded_reply(404, "serviceaccounts.ErrTokenNotFound", "service account token not found");
  }
  call.world.tokens.erase(token);
  return message_reply(200, "Service account token deleted");
}

}  // namespace graft::simulator
