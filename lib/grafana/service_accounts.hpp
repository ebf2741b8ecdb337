// Service accounts and their tokens. Facts: grafana-api.md sections 4 and 5, tokens.md section 1 (12.4 [run]).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "grafana/account_login.hpp"
#include "grafana/api.hpp"

namespace graft::grafana {

struct Account {
  AccountId id;
  std::string name, login, role;
  bool disabled = false;
  bool external = false;    // belongs to a plugin: never ours
  std::int64_t tokens = 0;  // the true number, which the token list is held against (F3)
};

struct Token {
  TokenId id;
  std::string name;
  WallTime created;
  std::optional<WallTime> expiration, last_used;
  bool expired = false, revoked = false;
};

struct NewToken {
  TokenId id;
  Secret key;  // shown here and never again
};

[[nodiscard]] asio::awaitable<Result<std::vector<Account>>> list_accounts(Api& api, OrgId organization);  // all pages
[[nodiscard]] asio::awaitable<Result<Account>> create_account(Api& api, OrgId organization, const Account& wanted);
[[nodiscard]] asio::awaitable<Status> update_account(Api& api, OrgId organization, AccountId id, const Account& wanted);

// At most 300, by name (F3). A missing account, or one of another organization, answers an empty list.
[[nodiscard]] asio::awaitable<Result<std::vector<Token>>> list_tokens(Api& api, OrgId organization, AccountId account);

// Errors besides the usual: exists (the name is taken in the organization: a lost reply, or a twin), ambiguous (the
// reply was lost: the token may exist, its key is gone), rejected with the setting of Grafana that limits lifetimes.
[[nodiscard]] asio::awaitable<Result<NewToken>> create_token(Api& api, OrgId organization, AccountId account,
                                                             const std::string& name,
                                                             std::optional<std::chrono::seconds> ttl);
// 404 counts as done.
[[nodiscard]] asio::awaitable<Status> delete_token(Api& api, OrgId organization, AccountId account, TokenId token);

}  // namespace graft::grafana
