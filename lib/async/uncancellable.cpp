#include "async/uncancellable.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace graft::async {

asio::awaitable<void> detail::run_uncancellable(asio::awaitable<void> work) {
  const auto executor = co_await asio::this_coro::executor;
  // An empty slot in place of the caller's: its signal cannot reach the work.
  co_await asio::co_spawn(executor, std::move(work),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

}  // namespace graft::async
