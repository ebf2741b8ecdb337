// kill -9 before every single system call of an issue and of a rotation, at random instants, and while recovering
// (T01). After each: the key in the sink is one that Grafana takes; after a clean run and the grace, one token lives in
// the slot and the sink holds its key.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <random>

#include "crash/tracer.hpp"
#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::seconds;

namespace {

void pass_time(World& world, seconds by) {
  world.simulator->advance(by);
  world.clock.offset += by;
}

void leave_rotation_request(const World& world) {
  const auto opened = state::open_store(world.settings.state_directory, state::OpenMode::shared);
  REQUIRE(opened);
  state::Request request;
  request.organization = world.organization();
  request.name = "test/test-token";
  request.kind = state::Request::Kind::rotate;
  request.asked_at = world.clock.wall();
  REQUIRE(opened->store->ask(request, WallTime{}));
}

struct Story {
  const char* name;
  bool rotation;  // a key is in use already, and another one is asked for
};
const Story stories[]{{"issue", false}, {"rotation", true}};

class Stage {
 public:
  explicit Stage(const Story& story) : rotation_(story.rotation) {
    world.settings.minimum_grace = seconds(60);
    world.manifest("o.yaml", fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {0}}}
spec:
  serviceAccounts:
    - name: test
      role: Viewer
      tokens: [{{name: test-token, ttl: 30d, grace: 60s, deliverTo: [{{file: {{path: {0}/test-token}}}}]}}]
)",
                                         world.organization()));
    if (!rotation_) return;
    REQUIRE(world.apply().converged());
    world.restart();
    leave_rotation_request(world);
  }

  // What graftd apply does, in the child.
  [[nodiscard]] std::function<int()> work() {
    return [this] { return world.apply().converged() ? 0 : 1; };
  }

  void check_right_after() {
    if (rotation_) CHECK(world.key_status(world.key_file()) == 200);
  }

  void check_recovery() {
    bool converged = false;
    for (int cycle = 0; cycle < 4 && !converged; ++cycle) {
      converged = world.apply().converged();
      check_right_after();
      if (!converged) pass_time(world, seconds(61));  // an orphan's minute
    }
    CHECK(converged);
    const std::string key = world.key_file();
    CHECK(world.key_status(key) == 200);
    CHECK(world.tokens().size() <= 3);
    for (int cycle = 0; cycle < 2; ++cycle) {  // the grace, and what a changed sink adds to it
      pass_time(world, seconds(61));
      CHECK(world.apply().converged());
    }
    CHECK(world.tokens().size() == 1);
    CHECK(world.key_status(world.key_file()) == 200);
    CHECK(world.key_file() == key);
  }

  World world;

 private:
  bool rotation_;
};

}  // namespace

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
