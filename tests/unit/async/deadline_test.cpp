#include "async/deadline.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>
#include <stdexcept>

#include "async/cancelled.hpp"
#include "async/uncancellable.hpp"
#include "support/run_coroutine.hpp"

namespace graft::async {

namespace {

using namespace std::chrono_literals;

asio::awaitable<Result<int>> ready(int value) { co_return value; }
asio::awaitable<Result<int>> after(std::chrono::milliseconds pause, int value) {
  co_await sleep_for(pause);
  co_return value;
}
asio::awaitable<Result<int>> failing() { co_return fail(ErrorCode::forbidden, "no"); }
asio::awaitable<Result<int>> throwing() {
  throw std::runtime_error("bug");
  co_return 0;
}
asio::awaitable<Result<int>> finishing_in_spite(bool& finished) {
  auto work = [](bool& done) -> asio::awaitable<int> {
    co_await sleep_for(40ms);
    done = true;
    co_return 7;
  };
  co_return co_await uncancellable(work(finished));
}

Result<int> race(asio::awaitable<Result<int>> work, std::chrono::milliseconds limit) {
  return test::run(with_deadline(std::move(work), limit, "the work"));
}

}  // namespace

TEST_CASE("work that ends in time gives its own result") {
  CHECK(race(ready(4), 10s).value() == 4);
  CHECK(race(after(5ms, 5), 10s).value() == 5);
  CHECK(race(failing(), 10s).error().code == ErrorCode::forbidden);
  CHECK_THROWS_WITH(race(throwing(), 10s), "bug");
}

TEST_CASE("work that takes too long is cancelled and reported by name") {
  const auto result = race(after(60s, 1), 10ms);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::timeout);
  CHECK(result.error().retryable);
  CHECK(result.error().message == "the work did not end within 0.01 s");
}

TEST_CASE("work that ends well after its time keeps its value") {
  bool finished = false;
  CHECK(race(finishing_in_spite(finished), 5ms).value() == 7);
  CHECK(finished);
}

TEST_CASE("deadlines nest: the shorter one speaks") {
  auto outer_shorter = with_deadline(with_deadline(after(60s, 1), 30s, "inner"), 10ms, "outer");
  CHECK(test::run(std::move(outer_shorter)).error().message.starts_with("outer"));
  auto inner_shorter = with_deadline(with_deadline(after(60s, 1), 10ms, "inner"), 30s, "outer");
  CHECK(test::run(std::move(inner_shorter)).error().message.starts_with("inner"));
}

TEST_CASE("a cancelled caller cancels the work and sees a cancellation, no timeout") {
  asio::io_context context(1);
  asio::cancellation_signal stop;
  std::exception_ptr seen;
  auto work = with_deadline(after(60s, 1), 60s, "the work");
  auto done = [&](std::exception_ptr failure, Result<int>) { seen = failure; };
  asio::co_spawn(context, std::move(work), asio::bind_cancellation_slot(stop.slot(), done));
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(is_cancellation(seen));
}

TEST_CASE("an uncancellable section runs to its end and gives its value to a caller cancelled meanwhile") {
  asio::io_context context(1);
  asio::cancellation_signal stop;
  int value = 0;
  bool went_on = false;
  std::exception_ptr seen;
  auto slow = []() -> asio::awaitable<int> {
    co_await sleep_for(20ms);
    co_await sleep_for(1ms);
    co_return 9;
  };
  auto body = [&]() -> asio::awaitable<void> {
    value = co_await uncancellable(slow());
    co_await sleep_for(60s);
    went_on = true;
  };
  asio::co_spawn(context, body(),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) { seen = failure; }));
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(value == 9);
  CHECK_FALSE(went_on);
  CHECK(is_cancellation(seen));
}

TEST_CASE("only operation_aborted is a cancellation") {
  CHECK_FALSE(is_cancellation(nullptr));
  CHECK_FALSE(is_cancellation(std::make_exception_ptr(std::runtime_error("operation_aborted"))));
}

}  // namespace graft::async
