#include "reconcile/observer.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/task_group.hpp"
#include "grafana/service_accounts.hpp"

namespace graft::reconcile {

namespace {

bool holds_content(const Wanted& wanted) {
  return std::ranges::any_of(wanted.content, [](const auto& entry) {
    return std::ranges::any_of(entry.second, [](const Desired* desired) {
      return desired->key.kind == kind_folder || desired->key.kind == kind_dashboard;
    });
  });
}

std::unique_ptr<Desired> implied_organization(const std::string& name) {
  auto desired = std::make_unique<Desired>();
  desired->key = {kind_organization, name, name};
  return desired;  // its place is unknown, which tells that nobody declared it
}

}  // namespace

Wanted make_wanted(const manifest::DesiredState& state) {
  Wanted wanted;
  std::unordered_set<std::string> declared;
  for (const Desired& desired : state.resources) {
    if (desired.key.kind == kind_organization) {
      wanted.organizations.push_back(&desired);
      declared.insert(desired.key.name);
    } else {
      wanted.content[desired.key.organization].push_back(&desired);
    }
  }
  for (const auto& [name, content] : wanted.content) {
    if (declared.contains(name)) continue;
    wanted.implied.push_back(implied_organization(name));
    wanted.organizations.push_back(wanted.implied.back().get());
  }
  return wanted;
}

Observer::Observer(grafana::Api& api, const kinds::Registry& registry) : api_(api), registry_(registry) {}

asio::awaitable<Result<kinds::ServerFacts>> Observer::server(const Wanted& wanted) {
  kinds::ServerFacts facts;
  // Alone and first: nothing else is sent before the login is known to work.
  Result<grafana::Identity> self = co_await grafana::who_am_i(api_);
  if (!self) co_return fail(std::move(self.error()));
  facts.self = std::move(*self);
  if (!facts.self.is_key() && !facts.self.server_admin) {
    co_return fail(
        Error(ErrorCode::forbidden, fmt::format("{} is not a Grafana server admin", facts.self.login))
            .with_hint("use the login of a server admin, or grafana.auth.tokenFile with the key of a service "
                       "account for one organization"));
  }
  Result<grafana::Capabilities> capabilities = co_await grafana::probe_capabilities(api_);
  if (!capabilities) co_return fail(std::move(capabilities.error()));
  facts.capabilities = *capabilities;
  if (holds_content(wanted)) {
    Status supported = grafana::content_supported(facts.capabilities);
    if (!supported) co_return fail(std::move(supported.error()));
  }
  Status account = co_await own_account(facts);
  if (!account) co_return fail(std::move(account.error()));
  Status refresh = co_await refresh_minimum(facts, wanted);
  if (!refresh) co_return fail(std::move(refresh.error()));
  co_return facts;
}

// With a key: an account that is no Admin of its organization sees filtered lists, in which absent cannot be told from
// hidden (grafana-api.md, trap 4).
asio::awaitable<Status> Observer::own_account(kinds::ServerFacts& facts) {
  if (!facts.self.is_key()) co_return Status{};
  Result<std::vector<grafana::Account>> accounts = co_await grafana::list_accounts(api_, facts.self.organization);
  if (!accounts && accounts.error().code != ErrorCode::forbidden) co_return fail(std::move(accounts.error()));
  facts.own_account_is_admin = accounts && std::ranges::any_of(*accounts, [&](const grafana::Account& account) {
                                 return account.id == facts.self.account && account.role == "Admin";
                               });
  co_return Status{};
}

asio::awaitable<Status> Observer::refresh_minimum(kinds::ServerFacts& facts, const Wanted& wanted) {
  if (!min_refresh_) {
    bool needed = false;
    for (const auto& [name, content] : wanted.content)
      for (const Desired* desired : content)
        needed = needed || (desired->key.kind == kind_dashboard && kinds::dashboard_refresh(desired->canonical));
    if (!needed) co_return Status{};
    Result<std::string> minimum = co_await grafana::fetch_min_refresh_interval(api_);
    if (!minimum && minimum.error().http_status == 0) co_return fail(std::move(minimum.error()));
    if (!minimum)
      co_return Status{};  // Grafana's default is assumed; a dashboard below a higher one is refused by name
    min_refresh_ = std::move(*minimum);
  }
  facts.min_refresh = *min_refresh_;
  co_return Status{};
}

asio::awaitable<Status> Observer::organizations(const kinds::ServerFacts& facts, const Wanted& wanted,
                                                Snapshot& snapshot) {
  const kinds::Kind& kind = registry_.get(kind_organization);
  kinds::Live live{api_, facts, {}, OrgId{}, [](const ResourceKey&) { return nullptr; }};
  Result<std::vector<Observed>> observed = co_await kind.observe(live, wanted.organizations, snapshot);
  if (!observed) co_return fail(std::move(observed.error()));
  for (Observed& one : *observed) snapshot.add(std::move(one));
  co_return Status{};
}

namespace {

asio::awaitable<void> one_organization_then(asio::awaitable<void> work, std::function<void()> done) {
  co_await std::move(work);
  done();
}

}  // namespace

asio::awaitable<void> Observer::content(const kinds::ServerFacts& facts, const Organizations& scopes,
                                        const Wanted& wanted, Snapshot& snapshot, Watcher* watcher) {
  async::TaskGroup group(co_await asio::this_coro::executor);
  std::size_t done = 0;
  const std::size_t total = scopes.size();
  const auto seen = [&] {
    if (watcher != nullptr) watcher->progress(Stage::observing, ++done, total);
  };
  for (const auto& [name, id] : scopes) {
    const auto found = wanted.content.find(name);
    if (found == wanted.content.end()) {
      seen();
    } else {
      group.spawn(one_organization_then(one_organization(facts, name, id, found->second, snapshot), seen));
    }
  }
  co_await group.join();
}

asio::awaitable<void> Observer::one_organization(const kinds::ServerFacts& facts, std::string name, OrgId id,
                                                 std::span<const Desired* const> wanted, Snapshot& snapshot) {
  kinds::Live live{api_, facts, name, id, [&snapshot](const ResourceKey& key) { return snapshot.find(key); }};
  std::optional<Error> accounts_gap;
  for (const std::unique_ptr<kinds::Kind>& kind : registry_.all()) {
    std::vector<const Desired*> of_kind;
    for (const Desired* desired : wanted)
      if (desired->key.kind == kind->name()) of_kind.push_back(desired);
    if (of_kind.empty()) continue;
    if (!facts.own_account_is_admin) {
      Error why(ErrorCode::forbidden,
                "the key's service account is not an Admin of its organization, so it cannot tell "
                "what is absent from what it may not see");
      snapshot.add_gap({name, kind->name(), std::move(why)});
      continue;
    }
    // Tokens of accounts that could not be read are as unknown as the accounts are.
    if (kind->name() == kind_service_account_token && accounts_gap) {
      snapshot.add_gap({name, kind->name(), *accounts_gap});
      continue;
    }
    Result<std::vector<Observed>> observed = co_await kind->observe(live, of_kind, snapshot);
    if (!observed) {
      if (kind->name() == kind_service_account) accounts_gap = observed.error();
      snapshot.add_gap({name, kind->name(), std::move(observed.error())});
      continue;
    }
    for (Observed& one : *observed) snapshot.add(std::move(one));
  }
}

}  // namespace graft::reconcile
