// offload: runs a blocking or CPU-heavy function on a small thread pool and comes back, with its value, on the caller's
// executor. Such a function cannot be stopped: a cancelled caller gets the value first and meets its cancellation at
// its next co_await. What the function borrows must not be touched meanwhile by anybody else.
//
// The pool is joined before the io_context of its callers is destroyed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace boost::asio {
class thread_pool;
}

namespace graft::async {

namespace asio = boost::asio;

namespace detail {
using Job = std::move_only_function<void()>;
asio::awaitable<void> run_on(asio::thread_pool& pool, Job job);
}  // namespace detail

template <class Function>
[[nodiscard]] asio::awaitable<std::invoke_result_t<Function&>> offload(asio::thread_pool& pool, Function function) {
  using Value = std::invoke_result_t<Function&>;
  using Kept = std::conditional_t<std::is_void_v<Value>, bool, Value>;
  struct Outcome {
    std::optional<Kept> value;
    std::exception_ptr failure;
  };
  // Shared, not in this frame: the frame may be destroyed while the pool still works.
  auto outcome = std::make_shared<Outcome>();
  detail::Job job = [outcome, work = std::move(function)]() mutable {
    try {
      if constexpr (std::is_void_v<Value>) {
        work();
        outcome->value.emplace(true);
      } else {
        outcome->value.emplace(work());
      }
    } catch (...) {
      outcome->failure = std::current_exception();
    }
  };
  co_await detail::run_on(pool, std::move(job));
  if (outcome->failure) std::rethrow_exception(outcome->failure);
  if constexpr (!std::is_void_v<Value>) co_return std::move(*outcome->value);
}

// nullptr: the function runs here and now, which is for tests that want one thread.
template <class Function>
[[nodiscard]] asio::awaitable<std::invoke_result_t<Function&>> offload(asio::thread_pool* pool, Function function) {
  if (pool == nullptr) co_return function();
  co_return co_await offload(*pool, std::move(function));
}

}  // namespace graft::async
