#include "grafana/service_accounts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grafana/json_fields.hpp"

namespace graft::grafana {

namespace {

using nlohmann::json;

constexpr int accounts_per_page = 1000;

Account read_account(const json& one) {
  Account account;
  account.id = AccountId(number_of(one, "id"));
  account.name = text_of(one, "name");
  account.login = text_of(one, "login");
  account.role = text_of(one, "role");
  account.disabled = flag_of(one, "isDisabled");
  account.external = flag_of(one, "isExternal");
  account.tokens = number_of(one, "tokens");
  return account;
}

std::string account_body(const Account& wanted) {
  return json{{"name", wanted.name}, {"role", wanted.role}, {"isDisabled", wanted.disabled}}.dump();
}

std::string tokens_path(AccountId account) { return fmt::format("/api/serviceaccounts/{}/tokens", account.value()); }

Token read_token(const json& one) {
  Token token;
  token.id = TokenId(number_of(one, "id"));
  token.name = text_of(one, "name");
  token.created = time_of(one, "created").value_or(WallTime{});
  token.expiration = time_of(one, "expiration");
  token.last_used = time_of(one, "lastUsedAt");
  token.expired = flag_of(one, "hasExpired");
  token.revoked = flag_of(one, "isRevoked");
  return token;
}

// Grafana 12.4 answers 400 where its own documentation says 409 (F2 [run]); both are recognised. The two limits on
// lifetimes have no code of their own (F12 [run]), so every other 400 gets the hint.
Error explain_refused_token(Error error) {
  const bool taken = error.server_code == "serviceaccounts.ErrTokenAlreadyExists" || error.http_status == 409;
  if (taken) {
    error.code = ErrorCode::exists;
  } else if (error.code == ErrorCode::rejected) {
    error.hint =
        "Grafana limits the life of tokens by [auth] api_key_max_seconds_to_live or [service_accounts] "
        "token_expiration_day_limit; give the token a shorter ttl, or raise the setting";
  }
  return error;
}

}  // namespace

asio::awaitable<Result<std::vector<Account>>> list_accounts(Api& api, OrgId organization) {
  std::vector<Account> accounts;
  for (int page = 1;; ++page) {
    Call call("GET", fmt::format("/api/serviceaccounts/search?perpage={}&page={}", accounts_per_page, page),
              "listing service accounts");
    call.organization = organization;
    Result<json> answer = co_await api.fetch(std::move(call));
    if (!answer) co_return fail(std::move(answer.error()));
    const json* const list = member(*answer, "serviceAccounts");
    const json* const count = member(*answer, "totalCount");
    if (list == nullptr || !list->is_array() || count == nullptr || !count->is_number_integer())
      co_return fail(ErrorCode::protocol, "listing service accounts: the answer is not a list with its length");
    const json& found = *list;
    for (const json& one : found) accounts.push_back(read_account(one));
    const auto total = static_cast<std::size_t>(number_of(*answer, "totalCount"));
    if (accounts.size() >= total) co_return accounts;
    if (found.empty())
      co_return fail(ErrorCode::protocol,
                     fmt::format("listing service accounts: {} announced, {} listed", total, accounts.size()));
  }
}

asio::awaitable<Result<Account>> create_account(Api& api, OrgId organization, const Account& wanted) {
  Call call("POST", "/api/serviceaccounts", fmt::format("creating service account {}", quote(wanted.name)));
  call.organization = organization;
  call.access = Access::lane;
  call.idempotent = false;
  call.body = account_body(wanted);
  Result<json> made = co_await api.fetch(std::move(call));
  if (!made) {
    Error error = std::move(made.error());
    if (error.server_code == "serviceaccounts.ErrAlreadyExists") {
      // Any failure of Grafana's own look-up gets this code, a locked database too: it is looked at again next cycle.
      error.code = ErrorCode::exists;
      error.retryable = true;
      error.hint = fmt::format(
          "another account has the login {}; Grafana frees it when that account is deleted, not when "
          "it is renamed",
          derived_login(organization, wanted.name));
    }
    co_return fail(std::move(error));
  }
  Account account = read_account(*made);
  if (account.id.value() <= 0)
    co_return fail(ErrorCode::protocol,
                   fmt::format("creating service account {}: the answer has no id", quote(wanted.name)));
  co_return account;
}

asio::awaitable<Status> update_account(Api& api, OrgId organization, AccountId id, const Account& wanted) {
  Call call("PATCH", fmt::format("/api/serviceaccounts/{}", id.value()),
            fmt::format("updating service account {}", quote(wanted.name)));
  call.organization = organization;
  call.access = Access::write;
  call.body = account_body(wanted);  // always with the name: without it Grafana can panic (section 4)
  Result<json> changed = co_await api.fetch(std::move(call));
  if (!changed) co_return fail(std::move(changed.error()));
  co_return Status{};
}

asio::awaitable<Result<std::vector<Token>>> list_tokens(Api& api, OrgId organization, AccountId account) {
  Call call("GET", tokens_path(account), "listing tokens");
  call.organization = organization;
  Result<json> list = co_await api.fetch(std::move(call));
  if (!list) co_return fail(std::move(list.error()));
  const auto items = list_in(*list, "listing tokens");
  if (!items) co_return fail(items.error());
  std::vector<Token> tokens;
  for (const json& one : **items) tokens.push_back(read_token(one));
  co_return tokens;
}

asio::awaitable<Result<NewToken>> create_token(Api& api, OrgId organization, AccountId account, const std::string& name,
                                               std::optional<std::chrono::seconds> ttl) {
  json body{{"name", name}};
  if (ttl) body["secondsToLive"] = ttl->count();
  const std::string what = fmt::format("creating token {}", quote(name));
  Call call("POST", tokens_path(account), what);
  call.organization = organization;
  call.access = Access::lane;
  call.idempotent = false;
  call.body = body.dump();
  Result<Reply> reply = co_await api.send(std::move(call));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->status != 200) co_return fail(explain_refused_token(error_of(what, *reply)));
  // From here on the body holds the key: it is wiped on every way out, and never put into an error.
  json made = json::parse(reply->body, nullptr, false);
  wipe(reply->body);
  NewToken token;
  token.id = TokenId(number_of(made, "id"));
  if (json* key = made.is_object() && made.contains("key") ? &made["key"] : nullptr; key != nullptr && key->is_string())
    token.key = Secret(std::move(key->get_ref<std::string&>()));
  if (token.id.value() <= 0 || token.key.empty())
    co_return fail(ErrorCode::ambiguous, what + ": answered with HTTP 200 but without a key");
  co_return token;
}

asio::awaitable<Status> delete_token(Api& api, OrgId organization, AccountId account, TokenId token) {
  Call call("DELETE", fmt::format("{}/{}", tokens_path(account), token.value()),
            fmt::format("deleting token {}", token.value()));
  call.organization = organization;
  call.access = Access::write;
  Result<json> deleted = co_await api.fetch(std::move(call));
  if (deleted || deleted.error().code == ErrorCode::not_found) co_return Status{};
  co_return fail(std::move(deleted.error()));
}

}  // namespace graft::grafana
