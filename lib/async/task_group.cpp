#include "async/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <utility>

#include "async/cancelled.hpp"

namespace graft::async {

// Shared with the children's completion handlers, which may be destroyed after the group when an io_context goes down.
class TaskGroup::State {
 public:
  using Children = std::list<asio::cancellation_signal>;

  explicit State(asio::any_io_executor on) : executor(std::move(on)), all_done(executor) {}

  void finished(Children::iterator child, const std::exception_ptr& failure) {
    children.erase(child);
    if (failure && !first_failure && !is_cancellation(failure)) first_failure = failure;
    if (children.empty()) all_done.cancel();
  }

  asio::any_io_executor executor;
  asio::steady_timer all_done;  // never expires; cancelled when the last child has ended
  Children children;            // one signal for each child that runs
  std::exception_ptr first_failure;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
  if (state_->children.empty()) return;
  std::fputs("graftd: bug: a task group was destroyed while its children run\n", stderr);
  std::abort();
}

void TaskGroup::spawn(asio::awaitable<void> child) {
  const auto place = state_->children.emplace(state_->children.end());
  auto done = [state = state_, place](std::exception_ptr failure) { state->finished(place, failure); };
  asio::co_spawn(state_->executor, std::move(child), asio::bind_cancellation_slot(place->slot(), std::move(done)));
}

void TaskGroup::cancel() {
  // Nobody leaves the list meanwhile: a child's end is delivered by the executor, never from inside emit().
  for (auto& signal : state_->children) signal.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::join() {
  bool stopped = false;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);  // children must have ended before anything is thrown from here
  while (!state_->children.empty()) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (!stopped && cancellation.cancelled() != asio::cancellation_type::none) {
      stopped = true;
      cancel();
      continue;
    }
    state_->all_done.expires_at(asio::steady_timer::time_point::max());
    co_await state_->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (state_->first_failure) std::rethrow_exception(std::exchange(state_->first_failure, nullptr));
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (throws && cancellation.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
}

std::size_t TaskGroup::running() const { return state_->children.size(); }

}  // namespace graft::async
