#include "daemon/triggers.hpp"

#include <doctest/doctest.h>

using namespace graft;
using daemon::Trigger;
using daemon::TriggerAnswer;
using daemon::Triggers;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("triggers: any number of askers before it is taken are one, and all see its answer") {
  ManualClock clock;
  Triggers triggers(clock);
  CHECK_FALSE(triggers.due_in());
  const std::uint64_t first = triggers.ask(Trigger::reload);
  for (int i = 0; i < 10'000; ++i) CHECK(triggers.ask(Trigger::reload) == first);
  CHECK(triggers.due_in() == milliseconds(0));
  const Triggers::Taken taken = triggers.take();
  CHECK(taken.reload == first);
  CHECK_FALSE(taken.sync);
  CHECK_FALSE(triggers.answer(Trigger::reload, first));

  // Who asks while it is under way waits for the next one: what he changed may not have been seen.
  const std::uint64_t second = triggers.ask(Trigger::reload);
  CHECK(second != first);
  triggers.answered(Trigger::reload, first, {true, {}, {}});
  CHECK(triggers.answer(Trigger::reload, first)->done);
  CHECK_FALSE(triggers.answer(Trigger::reload, second));
}

TEST_CASE("triggers: what is asked for again begins 5 s later, and both kinds share that") {
  ManualClock clock;
  Triggers triggers(clock);
  (void)triggers.ask(Trigger::sync);
  REQUIRE(triggers.take().sync);
  (void)triggers.ask(Trigger::reload);
  CHECK(triggers.due_in() == seconds(5));
  CHECK_FALSE(triggers.take().reload);
  clock.advance(seconds(4));
  CHECK(triggers.due_in() == seconds(1));
  (void)triggers.ask(Trigger::sync);
  clock.advance(seconds(1));
  const Triggers::Taken taken = triggers.take();
  CHECK(taken.reload);
  CHECK(taken.sync);
  CHECK_FALSE(triggers.due_in());
}

TEST_CASE("triggers: asking wakes the loop; old answers are forgotten") {
  ManualClock clock;
  Triggers triggers(clock);
  int woken = 0;
  triggers.on_ask([&] { ++woken; });
  std::uint64_t first = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t ticket = triggers.ask(Trigger::sync);
    if (i == 0) first = ticket;
    clock.advance(seconds(5));
    REQUIRE(triggers.take().sync == ticket);
    triggers.answered(Trigger::sync, ticket, {true, std::to_string(i), {}});
    CHECK(triggers.answer(Trigger::sync, ticket)->text == std::to_string(i));
  }
  CHECK(woken == 100);
  CHECK_FALSE(triggers.answer(Trigger::sync, first));
}
