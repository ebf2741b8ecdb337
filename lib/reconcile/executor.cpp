#include "reconcile/executor.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <map>

#include "async/cancelled.hpp"
#include "async/task_group.hpp"
#include "model/json_fields.hpp"

namespace graft::reconcile {

namespace {

constexpr int unanswered_limit = 5;       // in a row; then the rest is left to the next cycle
constexpr std::size_t side_by_side = 16;  // actions begun at once in one organization; the Api lets fewer through

Error skipped_because(std::string reason) { return Error(ErrorCode::blocked, std::move(reason)); }

bool got_no_answer(const Error& error) {
  const bool lost =
      error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout || error.code == ErrorCode::ambiguous;
  return lost && error.http_status == 0;
}

ResourceKey organization_key(const ResourceKey& key) { return {kind_organization, key.organization, key.organization}; }

}  // namespace

Executor::Executor(grafana::Api& api, const kinds::Registry& registry, const kinds::ServerFacts& facts,
                   Organizations& organizations, const Snapshot& snapshot, Log& log, std::function<bool()> stopping,
                   Watcher* watcher)
    : api_(api),
      registry_(registry),
      facts_(facts),
      organizations_(organizations),
      snapshot_(snapshot),
      log_(log),
      stopping_(std::move(stopping)),
      watcher_(watcher) {}

asio::awaitable<void> Executor::run(const plan::Plan& plan, std::vector<ActionResult>& results) {
  std::map<std::string_view, std::vector<const plan::Action*>> by_organization;
  for (const plan::Action& action : plan.actions) by_organization[action.key().organization].push_back(&action);
  total_ += plan.counts().changes();
  tell_progress();
  async::TaskGroup group(co_await asio::this_coro::executor);
  for (auto& [name, actions] : by_organization) group.spawn(run_organization(std::move(actions), results));
  co_await group.join();
}

asio::awaitable<void> Executor::run_organization(std::vector<const plan::Action*> actions,
                                                 std::vector<ActionResult>& results) {
  auto executor = co_await asio::this_coro::executor;
  std::size_t next = 0;
  while (next < actions.size()) {
    if (registry_.get(actions[next]->key().kind).one_at_a_time()) {
      co_await run_action(*actions[next++], results);
      continue;
    }
    async::TaskGroup group(executor);
    for (std::size_t begun = 0; begun < side_by_side && next < actions.size(); ++begun) {
      if (registry_.get(actions[next]->key().kind).one_at_a_time()) break;
      group.spawn(run_action(*actions[next++], results));
    }
    co_await group.join();
  }
}

asio::awaitable<void> Executor::run_action(const plan::Action& action, std::vector<ActionResult>& results) {
  if (std::optional<Error> reason = obstacle(action)) {
    const bool refused = action.verdict.verb == Verb::blocked;
    finish(action, {{}, {}, refused ? Outcome::failed : Outcome::skipped, std::move(*reason)}, results);
    co_return;
  }
  Result<Observed> done = co_await act(action);
  unanswered_ = done || !got_no_answer(done.error()) ? 0 : unanswered_ + 1;
  if (!done) {
    finish(action, {{}, {}, Outcome::failed, std::move(done.error())}, results);
    co_return;
  }
  if (action.key().kind == kind_organization) organizations_[action.key().name] = OrgId(number_from(done->id));
  const std::optional<WallTime> wake_at = done->wake_at;
  made_.insert_or_assign(action.key(), std::move(*done));
  finish(action, {{}, {}, Outcome::done, {}, wake_at}, results);
}

asio::awaitable<Result<Observed>> Executor::act(const plan::Action& action) {
  const kinds::Kind& kind = registry_.get(action.key().kind);
  const auto organization = organizations_.find(action.key().organization);
  kinds::Live live{api_, facts_, action.key().organization,
                   organization == organizations_.end() ? OrgId{} : organization->second,
                   [this](const ResourceKey& key) { return find(key); }};
  try {
    if (action.verdict.verb == Verb::create) co_return co_await kind.create(live, *action.desired, action.verdict);
    co_return co_await kind.update(live, *action.desired, action.observed, action.verdict);
  } catch (...) {
    co_return fail(async::cancelled_or_rethrow());
  }
}

std::optional<Error> Executor::obstacle(const plan::Action& action) const {
  if (stopping_()) return Error(ErrorCode::cancelled, "graftd is stopping");
  if (action.key().kind != kind_organization && not_done_.contains(organization_key(action.key())))
    return skipped_because(
        fmt::format("needs organization {}, which was not made or joined", action.key().organization));
  const Verb verb = action.verdict.verb;
  if (verb == Verb::blocked || verb == Verb::wait || verb == Verb::unknown)
    return skipped_because(action.verdict.reason);
  if (api_.gate().blocked_until()) return skipped_because("logins are stopped after a refused one");
  if (unanswered_ >= unanswered_limit) return skipped_because("Grafana does not answer");
  for (const ResourceKey& need : action.desired->needs)
    if (not_done_.contains(need))
      return skipped_because(fmt::format("needs {} {}, which was not done", need.kind.noun(), need.name));
  return std::nullopt;
}

void Executor::finish(const plan::Action& action, ActionResult result, std::vector<ActionResult>& results) {
  const ResourceKey& key = action.key();
  result.key = key;
  result.verb = action.verdict.verb;
  std::vector<LogField> fields{{"org", key.organization},
                               {"kind", std::string(key.kind.text())},
                               {"name", key.name},
                               {"action", std::string(to_string(action.verdict.verb))}};
  if (result.outcome == Outcome::done) {
    log_.info("applied", fields);
  } else {
    not_done_.insert(key);
    if (!result.error.where.known()) result.error.where = action.desired->at;
    fields.emplace_back("err", result.error.describe());
    log_.write(result.outcome == Outcome::failed ? LogLevel::error : LogLevel::warning,
               result.outcome == Outcome::failed ? "failed" : "skipped", fields);
  }
  if (watcher_ != nullptr) watcher_->finished(action, result);
  results.push_back(std::move(result));
  if (action.verdict.verb == Verb::create || action.verdict.verb == Verb::update) {
    ++done_;
    tell_progress();
  }
}

void Executor::tell_progress() const {
  if (watcher_ != nullptr && total_ > 0) watcher_->progress(Stage::executing, done_, total_);
}

const Observed* Executor::find(const ResourceKey& key) const {
  if (const auto found = made_.find(key); found != made_.end()) return &found->second;
  return snapshot_.find(key);
}

}  // namespace graft::reconcile
