#include "reconcile/cycle.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "async/cancelled.hpp"
#include "kinds/refresh.hpp"
#include "model/json_fields.hpp"

namespace graft::reconcile {

namespace {

// Organizations in which content may be read now; all others that are wanted.
struct Scopes {
  Organizations open;
  std::unordered_set<std::string> unknown;
  std::unordered_map<std::string, std::string> refused;  // and why
};

Scopes find_scopes(const kinds::Registry& registry, const kinds::ServerFacts& facts, const Wanted& wanted,
                   const Snapshot& snapshot) {
  const kinds::Kind& kind = registry.get(kind_organization);
  Scopes scopes;
  for (const Desired* desired : wanted.organizations) {
    const Observed* observed = snapshot.find(desired->key);
    const Verdict verdict = kind.compare(facts, *desired, observed);
    if (verdict.verb == Verb::blocked) scopes.refused.emplace(desired->key.name, verdict.reason);
    if (verdict.verb == Verb::none) {
      scopes.open.emplace(desired->key.name, OrgId(number_from(observed->id)));
    } else {
      scopes.unknown.insert(desired->key.name);
    }
  }
  return scopes;
}

std::vector<const Desired*> content_of(const Wanted& wanted, const std::unordered_set<std::string>& organizations) {
  std::vector<const Desired*> content;
  for (const auto& [name, resources] : wanted.content)
    if (organizations.contains(name)) content.insert(content.end(), resources.begin(), resources.end());
  return content;
}

std::vector<const Desired*> everything(const Wanted& wanted) {
  std::vector<const Desired*> all = wanted.organizations;
  for (const auto& [name, resources] : wanted.content) all.insert(all.end(), resources.begin(), resources.end());
  return all;
}

std::size_t files_with_errors(const Diagnostics& diagnostics) {
  std::unordered_set<std::string> files;
  for (const Diagnostic& item : diagnostics.items())
    if (item.severity == Severity::error && item.at.known()) files.insert(*item.at.file);
  return files.size();
}

}  // namespace

Cycle::Cycle(Parts parts)
    : parts_(std::move(parts)), observer_(parts_.api, parts_.registry), last_good_(parts_.last_good) {}

asio::awaitable<Report> Cycle::run_once(Mode mode, std::function<bool()> stopping) {
  Report report;
  const SteadyTime begun = parts_.clock.steady();
  if (parts_.watcher != nullptr) parts_.watcher->progress(Stage::loading, 0, 0);
  const std::uint64_t requests_before = parts_.api.requests();
  load(report);
  if (!report.stopped) {
    if (parts_.watcher != nullptr) {
      parts_.watcher->loaded(report.revision);
      parts_.watcher->progress(Stage::observing, 0, 0);
    }
    try {
      Status done = co_await reconcile(mode, report, stopping);
      if (!done) report.stopped = std::move(done.error());
    } catch (...) {
      report.stopped = async::cancelled_or_rethrow();
    }
  }
  report.wake_at = report.plan.wake_at;
  for (const ActionResult& result : report.results)
    if (result.wake_at) report.wake_at = std::min(report.wake_at.value_or(*result.wake_at), *result.wake_at);
  report.logins_stopped = parts_.api.gate().blocked_until().has_value();
  report.server_time = parts_.api.server_time();
  report.requests = parts_.api.requests() - requests_before;
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.steady() - begun);
  co_return report;
}

void Cycle::load(Report& report) {
  const SteadyTime begun = parts_.clock.steady();
  const auto before = last_good_;
  Result<manifest::LoadResult> loaded = parts_.load();
  if (!loaded) {
    report.manifests_rejected = true;
    if (!last_good_) report.stopped = loaded.error();
    report.diagnostics.error(loaded.error().where, loaded.error().describe());
  } else {
    report.diagnostics = loaded->diagnostics;
    report.manifests_rejected = loaded->state == nullptr || report.diagnostics.has_errors();
    report.invalid_files = files_with_errors(report.diagnostics);
    if (loaded->state) last_good_ = loaded->state;
  }
  if (!report.stopped && !last_good_)
    report.stopped =
        Error(ErrorCode::invalid, fmt::format("the manifests have {} errors, and there is no earlier good state",
                                              report.diagnostics.error_count()));
  if (last_good_) report.revision = last_good_->revision;
  report.manifests_new = last_good_ != before;
  report.load_took = std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.steady() - begun);
}

// What the manifests want as this server stores it. Made once per state and server.
const manifest::DesiredState& Cycle::adapted(const kinds::ServerFacts& facts) {
  if (adapted_from_ == last_good_ && adapted_for_ == facts.min_refresh) return *adapted_;
  adapted_from_ = last_good_;
  adapted_for_ = facts.min_refresh;
  adapted_ = last_good_;
  const auto too_short = [&](const Desired& desired) {
    if (desired.key.kind != kind_dashboard) return false;
    const auto refresh = kinds::dashboard_refresh(desired.canonical);
    return refresh && kinds::raised_refresh(*refresh, facts.min_refresh) != *refresh;
  };
  if (std::ranges::none_of(last_good_->resources, too_short)) return *adapted_;
  auto copy = std::make_shared<manifest::DesiredState>(*last_good_);
  for (Desired& desired : copy->resources)
    if (desired.key.kind == kind_dashboard) kinds::adapt_dashboard(desired, facts.min_refresh);
  adapted_ = std::move(copy);
  return *adapted_;
}

asio::awaitable<Status> Cycle::reconcile(Mode mode, Report& report, const std::function<bool()>& stopping) {
  Wanted as_declared = make_wanted(*last_good_);
  Result<kinds::ServerFacts> facts = co_await observer_.server(as_declared);
  if (!facts) co_return fail(std::move(facts.error()));
  auto wanted = std::make_shared<Wanted>(make_wanted(adapted(*facts)));
  report.state = adapted_;
  report.wanted = wanted;

  Snapshot snapshot;
  Status seen = co_await observer_.organizations(*facts, *wanted, snapshot);
  if (!seen) co_return seen;
  Scopes scopes = find_scopes(parts_.registry, *facts, *wanted, snapshot);
  co_await observer_.content(*facts, scopes.open, *wanted, snapshot, parts_.watcher);

  const auto compare = [&](const Desired& desired, const Observed* observed) {
    return parts_.registry.get(desired.key.kind).compare(*facts, desired, observed);
  };
  const auto rank = [&](KindName kind) { return parts_.registry.get(kind).rank(); };
  const std::vector<const Desired*> all = everything(*wanted);
  report.plan = plan::make_plan({all, snapshot, scopes.unknown, scopes.refused, compare, rank});
  report.compared = true;
  if (mode == Mode::plan) co_return Status{};

  // First round: all but the content of organizations that are made or joined now.
  Organizations organizations = scopes.open;
  Executor executor(parts_.api, parts_.registry, *facts, organizations, snapshot, parts_.log, stopping, parts_.watcher);
  plan::Plan first, later;
  first.in_sync = report.plan.in_sync;
  first.wake_at = report.plan.wake_at;
  for (plan::Action& action : report.plan.actions) {
    const bool content = action.key().kind != kind_organization;
    plan::Plan& part = content && scopes.unknown.contains(action.key().organization) ? later : first;
    part.actions.push_back(std::move(action));
  }
  report.plan = std::move(first);
  co_await executor.run(report.plan, report.results);

  Organizations opened;
  for (const auto& [name, id] : organizations)
    if (!scopes.open.contains(name)) opened.emplace(name, id);
  plan::Plan second;
  if (!opened.empty() && !stopping()) {
    co_await observer_.content(*facts, opened, *wanted, snapshot, parts_.watcher);
    std::unordered_set<std::string> names;
    for (const auto& [name, id] : opened) names.insert(name);
    const std::vector<const Desired*> content = content_of(*wanted, names);
    second = plan::make_plan({content, snapshot, {}, {}, compare, rank});
    std::erase_if(later.actions, [&](const plan::Action& action) { return names.contains(action.key().organization); });
  }
  second.append(std::move(later));  // what is still unknown is reported as skipped
  co_await executor.run(second, report.results);
  report.plan.append(std::move(second));
  co_return Status{};
}

}  // namespace graft::reconcile
