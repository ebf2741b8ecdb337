// TaskGroup: coroutines that run beside their owner and never outlive it. The only place that detaches a coroutine.
//
// The owner ends with `co_await group.join()`, on every path. A child that fails does not stop the others (one failing
// organization must not stop the rest): join() waits for all of them and then throws the first exception. A cancelled
// owner cancels the children, waits for their end all the same, and only then throws. The destructor ends the process
// if a child still runs, since what it borrows from the owner is about to go.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

namespace graft::async {

namespace asio = boost::asio;

class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // Begins the child at the executor's next turn. What it borrows must live until join() has returned.
  void spawn(asio::awaitable<void> child);

  // Asks all children to stop, now; children spawned later are not affected.
  void cancel();

  [[nodiscard]] asio::awaitable<void> join();

  [[nodiscard]] std::size_t running() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace graft::async
