#include "async/semaphore.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "async/deadline.hpp"
#include "async/task_group.hpp"
#include "support/run_coroutine.hpp"

namespace graft::async {

namespace {

using namespace std::chrono_literals;

// One coroutine that takes a permit, notes its name, and holds the permit until told.
struct Holder {
  explicit Holder(std::string called) : name(std::move(called)) {}
  std::string name;
  asio::cancellation_signal stop;
  Permit permit;
  bool cancelled = false;
};

class Bench {
 public:
  explicit Bench(std::size_t limit) : semaphore(limit) {}

  void enter(Holder& holder) {
    auto body = [](Semaphore& from, Holder& who, std::vector<std::string>& log) -> asio::awaitable<void> {
      who.permit = co_await from.acquire();
      log.push_back(who.name);
    };
    asio::co_spawn(context, body(semaphore, holder, order),
                   asio::bind_cancellation_slot(holder.stop.slot(), [&holder](std::exception_ptr failure) {
                     holder.cancelled = failure != nullptr;
                   }));
    turn();
  }
  void turn() {
    context.restart();
    context.poll();
  }

  asio::io_context context{1};
  Semaphore semaphore;
  std::vector<std::string> order;
};

}  // namespace

TEST_CASE("permits are given in the order of asking, at most the limit at a time") {
  Bench bench(2);
  Holder a("a"), b("b"), c("c"), d("d");
  for (Holder* holder : {&a, &b, &c, &d}) bench.enter(*holder);
  CHECK(bench.order == std::vector<std::string>{"a", "b"});
  CHECK(bench.semaphore.waiting() == 2);
  b.permit.release();
  bench.turn();
  a.permit.release();
  bench.turn();
  CHECK(bench.order == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(bench.semaphore.in_use() == 2);
}

TEST_CASE("a newcomer does not overtake a waiter whose permit is on its way") {
  Bench bench(1);
  Holder a("a"), b("b"), c("c");
  bench.enter(a);
  bench.enter(b);
  a.permit.release();  // b is served, but has not had its turn yet
  bench.enter(c);
  CHECK(bench.order == std::vector<std::string>{"a", "b"});
  b.permit.release();
  bench.turn();
  CHECK(bench.order.back() == "c");
}

TEST_CASE("a cancelled waiter leaves the queue and the next one is served") {
  Bench bench(1);
  Holder a("a"), b("b"), c("c");
  for (Holder* holder : {&a, &b, &c}) bench.enter(*holder);
  b.stop.emit(asio::cancellation_type::terminal);
  bench.turn();
  CHECK(b.cancelled);
  a.permit.release();
  bench.turn();
  CHECK(bench.order == std::vector<std::string>{"a", "c"});
  CHECK(bench.semaphore.in_use() == 1);
}

TEST_CASE("a waiter that is served and cancelled in the same turn does not lose the permit") {
  for (const bool cancel_first : {true, false}) {
    CAPTURE(cancel_first);
    Bench bench(1);
    Holder a("a"), b("b"), c("c");
    for (Holder* holder : {&a, &b, &c}) bench.enter(*holder);
    if (cancel_first) b.stop.emit(asio::cancellation_type::terminal);
    a.permit.release();
    if (!cancel_first) b.stop.emit(asio::cancellation_type::terminal);
    bench.turn();
    b.permit.release();
    bench.turn();
    CHECK(bench.order.back() == "c");
    c.permit.release();
    CHECK(bench.semaphore.in_use() == 0);
  }
}

TEST_CASE("a changed limit takes effect: more at once, fewer as permits come back") {
  Bench bench(1);
  Holder a("a"), b("b"), c("c");
  for (Holder* holder : {&a, &b, &c}) bench.enter(*holder);
  bench.semaphore.set_limit(2);
  bench.turn();
  CHECK(bench.order.size() == 2);
  bench.semaphore.set_limit(1);
  a.permit.release();
  bench.turn();
  CHECK(bench.order.size() == 2);
  b.permit.release();
  bench.turn();
  CHECK(bench.order.size() == 3);
}

TEST_CASE("waiters that are destroyed unresumed leave a sound semaphore behind") {
  Lane lane;
  Permit permit;
  {
    asio::io_context context(1);
    auto body = [](Semaphore& from) -> asio::awaitable<void> { Permit held = co_await from.acquire(); };
    permit = test::run_on(context, lane.acquire());
    asio::co_spawn(context, body(lane), [](std::exception_ptr) {});
    asio::co_spawn(context, body(lane), [](std::exception_ptr) {});
    context.restart();
    context.poll();
    CHECK(lane.waiting() == 2);
    permit.release();  // served, never resumed
  }
  CHECK(lane.waiting() == 0);
  CHECK(lane.in_use() == 0);
}

TEST_CASE("a lane lets one through at a time") {
  Lane lane;
  int inside = 0, most = 0, done = 0;
  auto visit = [&]() -> asio::awaitable<void> {
    const Permit permit = co_await lane.acquire();
    most = std::max(most, ++inside);
    co_await sleep_for(1ms);
    --inside;
    ++done;
  };
  auto all = [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    for (int i = 0; i < 20; ++i) group.spawn(visit());
    co_await group.join();
  };
  test::run(all());
  CHECK(most == 1);
  CHECK(done == 20);
}

}  // namespace graft::async
