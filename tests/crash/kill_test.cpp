// kill -9 before every single system call of an issue and of a rotation, at random instants, and while recovering
// (T01). After each: the key in the sink is one that Grafana takes; after a clean run and the grace, one token lives in
// the slot and the sink holds its key.
#include <algorithm>
#include <doctest/doctest.h>
#include <random>

#include "crash/stage.hpp"
#include "crash/tracer.hpp"

using namespace graft;
using namespace graft::test;
namespace {

void sweep(const Story& story) {
  std::uint64_t killed = 0, calls = 0;
  int whole = 0;  // runs in a row that ended by themselves: a run may make a few calls more than another
  for (std::uint64_t n = 1; whole < 3; ++n) {
    CAPTURE(n);
    Stage stage(story);
    const Traced traced = run_traced(stage.work(), n);
    killed += traced.killed ? 1 : 0;
    whole = traced.killed ? 0 : whole + 1;
    if (!traced.killed) CHECK(traced.exit_code == 0);
    calls = std::max(calls, traced.calls);
    stage.check_right_after();
    stage.check_recovery();
  }
  MESSAGE(std::string(story.name), ": killed before each of its system calls, ", killed, " times");
  CHECK(killed > 300);
  CHECK(killed >= calls - calls / 10);
}

}  // namespace

TEST_CASE("killed before each system call of an issue") { sweep(stories[0]); }

TEST_CASE("killed before each system call of a rotation") { sweep(stories[1]); }

TEST_CASE("killed at 500 random instants") {
  std::mt19937 random(20261124);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same instants in every run
  int killed = 0;
  for (int round = 0; round < 500; ++round) {
    CAPTURE(round);
    const Story& story = stories[round % 2];
    Stage stage(story);
    const Traced traced = run_killed_after(stage.work(), std::chrono::microseconds(random() % 60'000));
    killed += traced.killed ? 1 : 0;
    stage.check_right_after();
    stage.check_recovery();
  }
  MESSAGE("of 500 instants ", killed, " came before the end");
  CHECK(killed > 100);
}

TEST_CASE("killed again while recovering, 100 times") {
  std::mt19937 random(4711);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const Story& story = stories[round % 2];
    Stage stage(story);
    for (int crash = 0; crash < 2; ++crash) {
      (void)run_traced(stage.work(), 300 + random() % 500);
      stage.check_right_after();
    }
    stage.check_recovery();
  }
}
