// kill -9 before every single system call of an issue and of a rotation, at random instants, and while recovering
// (T01). After each: the key in the sink is one that Grafana takes; after a clean run and the grace, one token lives in
// the slot and the sink holds its key.
#include <doctest/doctest.h>
#include <random>

#include "crash/stage.hpp"
#include "crash/tracer.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::seconds;

TEST_CASE("killed before each system call of an issue and of a rotation") {
  for (const Story& story : stories) {
    CAPTURE(story.name);
    std::uint64_t calls = 0;
    {
      Stage stage(story);
      const Traced whole = run_traced(stage.work());
      REQUIRE(whole.exit_code == 0);
      calls = whole.calls;
    }
    REQUIRE(calls > 300);
    std::uint64_t killed = 0;
    // A run may make a few calls more than another: the sweep ends when a run ends by itself.
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(n);
      Stage stage(story);
      const Traced traced = run_traced(stage.work(), n);
      if (!traced.killed && n > calls) break;
      killed += traced.killed ? 1 : 0;
      stage.check_right_after();
      stage.check_recovery();
    }
    MESSAGE(story.name, ": killed before each of ", killed, " system calls");
    CHECK(killed >= calls - calls / 10);
  }
}

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
