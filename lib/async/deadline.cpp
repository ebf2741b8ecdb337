#include "async/deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <fmt/format.h>

#include "async/cancelled.hpp"

namespace graft::async {

asio::awaitable<bool> detail::run_until(asio::awaitable<void> work, std::chrono::milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                       timer.async_wait(asio::deferred));
  const auto [order, failure, timer_error] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const bool expired = !timer_error;
  if (failure && !(expired && is_cancellation(failure))) std::rethrow_exception(failure);
  co_return expired;
}

Error detail::out_of_time(const std::string& what, std::chrono::milliseconds limit) {
  return Error(ErrorCode::timeout,
               fmt::format("{} did not end within {} s", what, static_cast<double>(limit.count()) / 1000))
      .retry();
}

asio::awaitable<void> sleep_for(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace graft::async
