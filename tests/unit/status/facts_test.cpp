#include "status/facts.hpp"

#include <doctest/doctest.h>

#include "unit/status/picture.hpp"

using namespace graft;
using graft::test::Picture;
using status::CycleRecord;
using status::CycleResult;
using status::Facts;
using status::State;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr WallTime t0{seconds(1'800'000'000)};

CycleRecord cycle(CycleResult result, const std::string& error = {}) {
  CycleRecord made;
  made.started_at = t0;
  made.result = result;
  made.error = error;
  return made;
}

Facts converged() {
  Facts facts;
  facts.overview = status::make_overview(nullptr, Picture().report(), t0);
  facts.cycles.push_back(cycle(CycleResult::noop));
  facts.state = status::state_of(facts);
  return facts;
}

}  // namespace

TEST_CASE("state: from starting to converged, and what takes it away") {
  Facts facts;
  CHECK(status::state_of(facts) == State::starting);
  facts = converged();
  CHECK(status::state_of(facts) == State::converged);
  CHECK(status::headline(facts) == "3 resources are as declared");

  facts.general.push_back({"manifests", {}, "unknown field", "a.yaml:1:2", {}, t0});
  CHECK(status::state_of(facts) == State::degraded);
  facts.general.clear();
  facts.suspended = true;
  CHECK(status::state_of(facts) == State::suspended);
  facts.cycles.push_back(cycle(CycleResult::stopped, "no connection"));
  facts.state = status::state_of(facts);
  CHECK(facts.state == State::stopped);
  CHECK(status::headline(facts).find("no connection") != std::string::npos);
}

TEST_CASE("state: changing while changes are carried out, not while a cycle looks") {
  Facts facts = converged();
  facts.progress = status::Progress{2, t0, reconcile::Stage::observing, 3, 200, {}};
  CHECK(status::state_of(facts) == State::converged);
  facts.progress = status::Progress{2, t0, reconcile::Stage::executing, 3, 200, 10.0};
  CHECK(status::state_of(facts) == State::changing);
  CHECK(facts.progress->remaining() == seconds(20));
}

TEST_CASE("ready: says why not") {
  Facts facts;
  CHECK_FALSE(status::readiness(facts, t0).ready);
  CHECK(status::readiness(facts, t0).why == "the first cycle has not ended");
  facts.cycles.push_back(cycle(CycleResult::stopped, "Grafana cannot be reached"));
  CHECK(status::readiness(facts, t0).why.find("Grafana cannot be reached") != std::string::npos);

  facts = converged();
  CHECK(status::readiness(facts, t0).ready);
  facts.state_writable = false;
  CHECK_FALSE(status::readiness(facts, t0).ready);
  facts.state_writable = true;
  facts.configuration_good = false;
  CHECK_FALSE(status::readiness(facts, t0).ready);
  facts.configuration_good = true;

  // Grafana being down for a while is no reason to take us out; for a quarter of an hour it is.
  facts.cycles.push_back(cycle(CycleResult::stopped, "no connection"));
  facts.stopped_since = t0;
  CHECK(status::readiness(facts, t0 + minutes(15)).ready);
  CHECK_FALSE(status::readiness(facts, t0 + minutes(15) + seconds(1)).ready);
}

TEST_CASE("startup: waits for every declared token") {
  Facts facts;
  CHECK_FALSE(status::startup(facts).ready);
  facts = converged();
  CHECK(status::startup(facts).ready);

  auto state = std::make_shared<manifest::DesiredState>();
  Desired token;
  token.key = {kind_service_account_token, "org", "test/one"};
  state->resources.push_back(token);
  reconcile::Report report;
  report.compared = true;
  report.state = state;
  plan::Action action;
  action.desired = &state->resources.front();
  action.verdict.verb = Verb::create;
  report.plan.actions.push_back(action);
  facts.overview = status::make_overview(nullptr, report, t0);
  CHECK_FALSE(status::startup(facts).ready);
  CHECK(status::startup(facts).why.find("org/test/one") != std::string::npos);
  report.results.push_back({token.key, Verb::create, reconcile::Outcome::done, {}, {}});
  facts.overview = status::make_overview(nullptr, report, t0);
  CHECK(status::startup(facts).ready);
}

TEST_CASE("status line: one line for the service manager") {
  Facts facts = converged();
  facts.revision = "0123456789abcdef";
  facts.next_cycle_at = t0 + seconds(42);
  CHECK(status::status_line(facts, t0) == "rev 0123456789ab converged, 3 resources, next in 42s");
}

TEST_CASE("board: since changes with the state alone; cycles are bounded") {
  ManualClock clock(t0);
  status::Board board(clock);
  board.update([](Facts& facts) {
    facts.overview = status::make_overview(nullptr, Picture().report(), t0);
    facts.cycles.push_back(cycle(CycleResult::noop));
  });
  CHECK(board.facts()->since == t0);
  clock.advance(seconds(60));
  for (int i = 0; i < 1'000; ++i) board.update([](Facts& facts) { facts.cycles.push_back(cycle(CycleResult::noop)); });
  CHECK(board.facts()->since == t0);
  CHECK(board.facts()->cycles.size() == status::cycles_kept);
  board.update([](Facts& facts) { facts.cycles.push_back(cycle(CycleResult::stopped)); });
  CHECK(board.facts()->since == t0 + seconds(60));
}
