// Carries out a plan: what is needed before what needs it, organizations side by side, one failure never stopping
// another resource that does not need it (reported as skipped, with the reason).
//
// Within an organization the actions run in plan order; kinds that are not one_at_a_time run beside each other once
// what they need is done. How much is in flight at Grafana is the Api's business, not ours.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/log.hpp"
#include "kinds/registry.hpp"
#include "plan/plan.hpp"
#include "reconcile/report.hpp"

namespace graft::reconcile {

namespace asio = boost::asio;

// The organizations that are there and ours to work in, by name.
using Organizations = std::unordered_map<std::string, OrgId>;

class Executor {
 public:
  // `stopping` is asked before each action: when it says yes, nothing new is begun.
  Executor(grafana::Api& api, const kinds::Registry& registry, const kinds::ServerFacts& facts,
           Organizations& organizations, const Snapshot& snapshot, Log& log, std::function<bool()> stopping,
           Watcher* watcher);

  // Appends to `results`, which later calls know of: what failed in an earlier plan of this cycle is failed for this
  // one.
  [[nodiscard]] asio::awaitable<void> run(const plan::Plan& plan, std::vector<ActionResult>& results);

 private:
  asio::awaitable<void> run_organization(std::vector<const plan::Action*> actions, std::vector<ActionResult>& results);
  asio::awaitable<void> run_action(const plan::Action& action, std::vector<ActionResult>& results);
  asio::awaitable<Result<Observed>> act(const plan::Action& action);
  [[nodiscard]] std::optional<Error> obstacle(const plan::Action& action) const;
  void finish(const plan::Action& action, ActionResult result, std::vector<ActionResult>& results);
  [[nodiscard]] const Observed* find(const ResourceKey& key) const;
  void tell_progress() const;

  grafana::Api& api_;
  const kinds::Registry& registry_;
  const kinds::ServerFacts& facts_;
  Organizations& organizations_;
  const Snapshot& snapshot_;
  Log& log_;
  std::function<bool()> stopping_;
  std::unordered_set<ResourceKey> not_done_;        // failed, skipped, blocked or unknown
  std::unordered_map<ResourceKey, Observed> made_;  // in this run
  int unanswered_ = 0;                              // actions in a row that got no answer
  Watcher* watcher_;                                // may be null
  std::size_t done_ = 0, total_ = 0;                // changes of all plans of this cycle
};

}  // namespace graft::reconcile
