// The live half of ServiceAccount. Identity is the login, which Grafana derives from the name at creation and never
// changes (grafana-api.md section 4): an account renamed by hand is found again, and renamed back.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "grafana/service_accounts.hpp"
#include "kinds/registry.hpp"
#include "model/canonical_json.hpp"
#include "model/json_fields.hpp"

namespace graft::kinds {

namespace {

using grafana::Account;
using nlohmann::json;

Account wanted_account(const Desired& desired) {
  const json document = json::parse(desired.canonical, nullptr, false);
  Account account;
  account.name = text_of(document, "name");
  account.role = text_of(document, "role");
  account.disabled = flag_of(document, "disabled");
  return account;
}

Observed seen(const Desired& desired, const Account& account) {
  const json document{{"name", account.name}, {"role", account.role}, {"disabled", account.disabled}};
  Observed observed = make_observed(desired, std::to_string(account.id.value()), "", canonical_text(document));
  observed.facts = json{{"login", account.login}, {"tokens", account.tokens}}.dump();
  return observed;
}

// By login; servers that were upgraded may have accounts with older logins, which only their name tells.
const Account* match(const std::vector<Account>& accounts, const std::unordered_set<std::string>& declared_logins,
                     const std::string& login, const std::string& name) {
  const auto by_login = std::ranges::find(accounts, login, &Account::login);
  if (by_login != accounts.end()) return &*by_login;
  const Account* found = nullptr;
  for (const Account& account : accounts) {
    if (account.name != name || account.external || declared_logins.contains(account.login)) continue;
    if (found != nullptr) return nullptr;  // two of one name: neither is taken for ours
    found = &account;
  }
  return found;
}

class ServiceAccountKind final : public Kind {
 public:
  KindName name() const override { return kind_service_account; }
  int rank() const override { return 3; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot&) const override {
    Result<std::vector<Account>> accounts = co_await grafana::list_accounts(live.api, live.id);
    if (!accounts) co_return fail(std::move(accounts.error()));
    std::unordered_set<std::string> logins;
    for (const Desired* desired : wanted) logins.insert(grafana::derived_login(live.id, desired->key.name));
    std::vector<Observed> observed;
    for (const Desired* desired : wanted) {
      const std::string login = grafana::derived_login(live.id, desired->key.name);
      if (const Account* account = match(*accounts, logins, login, desired->key.name))
        observed.push_back(seen(*desired, *account));
    }
    co_return observed;
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired, const Verdict&) const override {
    Account wanted = wanted_account(desired);
    Result<Account> made = co_await grafana::create_account(live.api, live.id, wanted);
    if (!made) co_return fail(std::move(made.error()));
    co_return seen(desired, *made);
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed& observed,
                                           const Verdict&) const override {
    const AccountId id(number_from(observed.id));
    Account wanted = wanted_account(desired);
    Status changed = co_await grafana::update_account(live.api, live.id, id, wanted);
    if (!changed) co_return fail(std::move(changed.error()));
    Observed after = make_observed(desired, observed.id, "", desired.canonical);
    after.facts = observed.facts;
    co_return after;
  }
};

}  // namespace

std::unique_ptr<Kind> make_service_account_kind() { return std::make_unique<ServiceAccountKind>(); }

}  // namespace graft::kinds
