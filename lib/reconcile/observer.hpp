// Sees the live state: first the server (who we are, what it can do, which organizations there are), then the content
// of each organization that we are an Admin of, kind by kind in rank order, organizations side by side.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "kinds/registry.hpp"
#include "manifest/loader.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/report.hpp"

namespace graft::reconcile {

// The resources of one cycle: those declared, and an Organization for each name that is used but not declared.
struct Wanted {
  std::vector<const Desired*> organizations;
  std::unordered_map<std::string, std::vector<const Desired*>> content;  // by organization
  std::vector<std::unique_ptr<Desired>> implied;                         // owns the undeclared organizations
};

[[nodiscard]] Wanted make_wanted(const manifest::DesiredState& state);

class Observer {
 public:
  Observer(grafana::Api& api, const kinds::Registry& registry);

  // Errors: unauthenticated, blocked, unavailable, unsupported …: the cycle cannot go on.
  [[nodiscard]] asio::awaitable<Result<kinds::ServerFacts>> server(const Wanted& wanted);
  [[nodiscard]] asio::awaitable<Status> organizations(const kinds::ServerFacts& facts, const Wanted& wanted,
                                                      Snapshot& snapshot);
  // Reads the content of `scopes`; what cannot be read becomes a gap. `watcher` may be null.
  [[nodiscard]] asio::awaitable<void> content(const kinds::ServerFacts& facts, const Organizations& scopes,
                                              const Wanted& wanted, Snapshot& snapshot, Watcher* watcher);

 private:
  asio::awaitable<void> one_organization(const kinds::ServerFacts& facts, std::string name, OrgId id,
                                         std::span<const Desired* const> wanted, Snapshot& snapshot);
  asio::awaitable<Status> own_account(kinds::ServerFacts& facts);
  asio::awaitable<Status> refresh_minimum(kinds::ServerFacts& facts, const Wanted& wanted);

  grafana::Api& api_;
  const kinds::Registry& registry_;
  std::optional<std::string> min_refresh_;  // asked once a process: the answer is large, and fixed while Grafana runs
};

}  // namespace graft::reconcile
