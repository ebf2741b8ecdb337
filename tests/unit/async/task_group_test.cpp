#include "async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "async/cancelled.hpp"
#include "async/deadline.hpp"
#include "async/offload.hpp"
#include "async/uncancellable.hpp"
#include "support/run_coroutine.hpp"

namespace graft::async {

namespace {

using namespace std::chrono_literals;

asio::awaitable<void> count_after(std::chrono::milliseconds pause, int& counter) {
  co_await sleep_for(pause);
  ++counter;
}

asio::awaitable<void> failing_after(std::chrono::milliseconds pause, std::string text) {
  co_await sleep_for(pause);
  throw std::runtime_error(text);
}

}  // namespace

TEST_CASE("join waits for all children, those spawned by children too") {
  int done = 0;
  auto body = [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    auto parent = [&]() -> asio::awaitable<void> {
      co_await sleep_for(2ms);
      group.spawn(count_after(2ms, done));
    };
    group.spawn(count_after(1ms, done));
    group.spawn(parent());
    co_await group.join();
    CHECK(group.running() == 0);
    co_await group.join();  // of an empty group: at once
  };
  test::run(body());
  CHECK(done == 2);
}

TEST_CASE("a child that fails stops nobody else; join throws the first failure") {
  int done = 0;
  auto body = [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    group.spawn(failing_after(3ms, "second"));
    group.spawn(failing_after(1ms, "first"));
    group.spawn(count_after(6ms, done));
    co_await group.join();
  };
  CHECK_THROWS_WITH(test::run(body()), "first");
  CHECK(done == 1);
}

TEST_CASE("cancelled children are waited for and are no failure") {
  int done = 0;
  auto body = [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    group.spawn(count_after(60s, done));
    group.spawn(uncancellable(count_after(5ms, done)));
    co_await sleep_for(1ms);
    group.cancel();
    co_await group.join();
  };
  test::run(body());
  CHECK(done == 1);
}

TEST_CASE("a cancelled owner cancels its children and leaves only after their end") {
  asio::io_context context(1);
  asio::cancellation_signal stop;
  int done = 0;
  std::exception_ptr seen;
  auto body = [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    group.spawn(count_after(60s, done));
    group.spawn(uncancellable(count_after(10ms, done)));
    co_await group.join();
  };
  auto owner = [&]() -> asio::awaitable<void> {
    co_await body();
    FAIL("went on after a cancellation");
  };
  asio::co_spawn(context, owner(),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) { seen = failure; }));
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(is_cancellation(seen));
  CHECK(done == 1);
}

TEST_CASE("a group that is left with children running ends the process") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(2);
    ::signal(SIGABRT, SIG_DFL);  // not the test runner's handler
    asio::io_context context(1);
    int counter = 0;
    {
      TaskGroup group(context.get_executor());
      group.spawn(count_after(60s, counter));
      context.poll();
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("offloaded work runs on the pool and its value or exception comes home") {
  asio::thread_pool pool(2);
  const auto home = std::this_thread::get_id();
  auto body = [&]() -> asio::awaitable<void> {
    std::thread::id where;
    auto job = [&where] {
      where = std::this_thread::get_id();
      return std::string("value");
    };
    const std::string value = co_await offload(pool, job);
    CHECK(value == "value");
    CHECK(where != home);
    CHECK(std::this_thread::get_id() == home);
    auto nothing = [] {};
    co_await offload(pool, nothing);
    auto broken = []() -> int { throw std::runtime_error("broken"); };
    co_await offload(pool, broken);
  };
  CHECK_THROWS_WITH(test::run(body()), "broken");
  pool.join();
}

TEST_CASE("a caller cancelled while its work is offloaded gets the value first") {
  asio::thread_pool pool(1);
  asio::io_context context(1);
  asio::cancellation_signal stop;
  int value = 0;
  std::exception_ptr seen;
  auto job = [&] {
    std::this_thread::sleep_for(20ms);
    return 5;
  };
  auto body = [&]() -> asio::awaitable<void> {
    value = co_await offload(pool, job);
    co_await sleep_for(60s);
  };
  asio::co_spawn(context, body(),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) { seen = failure; }));
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(value == 5);
  CHECK(is_cancellation(seen));
  pool.join();
}

}  // namespace graft::async
