// Runs a coroutine of a test to its end on an io_context of its own; a coroutine that does not end fails the test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace graft::test {

namespace asio = boost::asio;

// On a given context, when the test needs it for itself (timers, thread pools).
template <class T>
T run_on(asio::io_context& context, asio::awaitable<T> work, std::chrono::seconds limit = std::chrono::seconds(30)) {
  std::exception_ptr failure;
  bool ended = false;
  auto until = std::chrono::steady_clock::now() + limit;
  const auto loop = [&] {
    while (!ended && std::chrono::steady_clock::now() < until) {
      context.restart();
      if (context.run_one_until(until) == 0) break;
    }
    if (!ended) throw std::runtime_error("the coroutine did not end");
    if (failure) std::rethrow_exception(failure);
  };
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) {
      failure = error;
      ended = true;
    });
    loop();
  } else {
    std::optional<T> result;
    auto keep = [](asio::awaitable<T> inner, std::optional<T>& out) -> asio::awaitable<void> {
      T value = co_await std::move(inner);
      out.emplace(std::move(value));
    };
    asio::co_spawn(context, keep(std::move(work), result), [&](std::exception_ptr error) {
      failure = error;
      ended = true;
    });
    loop();
    return std::move(*result);
  }
}

template <class T>
T run(asio::awaitable<T> work) {
  asio::io_context context(1);
  return run_on(context, std::move(work));
}

}  // namespace graft::test
