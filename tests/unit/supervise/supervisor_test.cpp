// The rule that tells a hang from patience, and the supervisor that acts on it.
#include "supervise/supervisor.hpp"

#include <doctest/doctest.h>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

#include "support/notify_socket.hpp"
#include "support/process.hpp"

namespace graft::supervise {

namespace {

using namespace std::chrono_literals;
using test_support::NotifySocket;

class Lines final : public Log {
 public:
  void write(LogLevel, std::string_view message, const std::vector<LogField>& fields) override {
    std::string line(message);
    for (const auto& [key, value] : fields) line += " " + std::string(key) + "=" + value;
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

const SteadyTime t0{1h};

struct Stage {
  ManualClock clock;
  Heartbeat heartbeat{clock};
  NotifySocket manager{"@graftd-test-supervisor-" + std::to_string(::getpid())};
  Notifier notifier{manager.address()};
  Lines log;
  Supervisor supervisor{heartbeat, notifier, clock, log};
};

}  // namespace

TEST_CASE("a loop hangs when it does not beat, or works without progress; patience is no hang") {
  struct Row {
    std::string situation;
    SteadyTime::duration beat_ago, progress_ago;
    bool working, alive;
  };
  const std::vector<Row> rows{
      {"just begun", 0s, 0s, false, true},
      {"a beat is late", 29s, 0s, false, true},
      {"the thread is blocked", 30s, 0s, false, false},
      {"the thread is blocked in the midst of work", 30s, 30s, true, false},
      {"Grafana is slow", 0s, 9min + 59s, true, true},
      {"a coroutine waits for what never comes", 0s, 10min, true, false},
      {"nothing to do for days", 1s, 72h, false, true},
      {"a beat from after the look began", -1s, -1s, true, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.situation);
    const State state = judge({t0 - row.beat_ago, t0 - row.progress_ago, row.working}, t0);
    CHECK(state.alive == row.alive);
    CHECK(state.reason.empty() == row.alive);
  }
}

TEST_CASE("the reason says which hang it is, and for how long") {
  CHECK(judge({t0 - 42s, t0, false}, t0).reason == "the event loop has not turned for 42s: its thread is blocked");
  CHECK(judge({t0, t0 - 11min, true}, t0).reason ==
        "work is under way, but no request or action has begun or ended for 11m");
}

TEST_CASE("work that begins after a long rest has its full time") {
  ManualClock clock;
  Heartbeat heartbeat(clock);
  clock.advance(3600s);
  heartbeat.beat();
  heartbeat.working(true);
  CHECK(heartbeat.state(clock.steady()).alive);
  clock.advance(599s);
  heartbeat.beat();
  CHECK(heartbeat.state(clock.steady()).alive);
  clock.advance(1s);
  heartbeat.beat();
  CHECK_FALSE(heartbeat.state(clock.steady()).alive);
  heartbeat.progress();
  CHECK(heartbeat.state(clock.steady()).alive);
  clock.advance(600s);
  heartbeat.beat();
  CHECK_FALSE(heartbeat.state(clock.steady()).alive);
  heartbeat.working(false);
  CHECK(heartbeat.state(clock.steady()).alive);
}

TEST_CASE("two hours without Grafana: cycles end, the loop beats, the watchdog is fed") {
  Stage stage;
  int looks = 0;
  for (int second = 0; second < 7200; ++second) {
    stage.heartbeat.working(second % 60 < 30);  // each cycle gives up after one request's time
    stage.heartbeat.beat();
    stage.clock.advance(1s);
    if (second % 20 != 0) continue;
    stage.supervisor.look();
    REQUIRE(stage.manager.next(1s) == "WATCHDOG=1");
    ++looks;
  }
  CHECK(looks == 360);
  CHECK(stage.log.all().empty());
}

TEST_CASE("a hang ends the feeding and is said once; so is its end") {
  Stage stage;
  stage.supervisor.look();
  CHECK(stage.manager.rest() == std::vector<std::string>{"WATCHDOG=1"});

  stage.clock.advance(40s);
  for (int i = 0; i < 3; ++i) stage.supervisor.look();
  CHECK(stage.manager.rest().empty());
  CHECK(stage.log.all() ==
        std::vector<std::string>{"graftd hangs; the watchdog is not fed any more "
                                 "reason=the event loop has not turned for 40s: its thread is blocked"});

  stage.heartbeat.beat();
  for (int i = 0; i < 2; ++i) stage.supervisor.look();
  CHECK(stage.manager.rest() == std::vector<std::string>{"WATCHDOG=1", "WATCHDOG=1"});
  REQUIRE(stage.log.all().size() == 2);
  CHECK(stage.log.all().back() == "graftd goes on; the watchdog is fed again");
}

TEST_CASE("the manager is told before the log, which may block") {
  struct Blocked final : Log {
    explicit Blocked(NotifySocket& socket) : manager(socket) {}
    void write(LogLevel, std::string_view, const std::vector<LogField>&) override { before = manager.rest(); }
    NotifySocket& manager;
    std::vector<std::string> before;
  };
  Stage stage;
  Blocked log(stage.manager);
  Supervisor supervisor(stage.heartbeat, stage.notifier, stage.clock, log);
  stage.clock.advance(40s);
  supervisor.look();
  CHECK(log.before.empty());
  stage.heartbeat.beat();
  supervisor.look();
  CHECK(log.before == std::vector<std::string>{"WATCHDOG=1"});
}

TEST_CASE("the supervisor looks at a third of the watchdog's interval, at least each 20 s") {
  CHECK(look_interval(60s) == 20s);
  CHECK(look_interval(30s) == 10s);
  CHECK(look_interval(10min) == 20s);
  CHECK(look_interval(1us) == 1ms);
  CHECK(look_interval(std::nullopt) == 20s);
}

TEST_CASE("the thread feeds at once, then again and again, and ends when it is destroyed") {
  Stage stage;
  {
    const SupervisorThread thread(stage.supervisor, 5ms);
    for (int i = 0; i < 3; ++i) CHECK(stage.manager.next() == "WATCHDOG=1");
  }
  (void)stage.manager.rest();
  CHECK_FALSE(stage.manager.next(50ms).has_value());
  {
    const SupervisorThread patient(stage.supervisor, 1h);  // that it ends at once is shown by the test's end
    CHECK(stage.manager.next() == "WATCHDOG=1");
  }
}

}  // namespace graft::supervise
