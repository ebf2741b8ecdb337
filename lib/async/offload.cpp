#include "async/offload.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace graft::async {

namespace {

// Started by co_await; a named type, since g++ 12 destroys a capturing lambda in a co_await expression twice.
struct StartOnPool {
  template <class Handler>
  void operator()(Handler handler, asio::thread_pool* pool, detail::Job job) const {
    auto home = asio::get_associated_executor(handler);
    auto run = [job = std::move(job), handler = std::move(handler), guard = asio::make_work_guard(home),
                home]() mutable {
      job();
      job = nullptr;
      asio::post(home, std::move(handler));
    };
    asio::post(*pool, std::move(run));
  }
};

}  // namespace

asio::awaitable<void> detail::run_on(asio::thread_pool& pool, Job job) {
  StartOnPool start;
  asio::thread_pool* where = &pool;
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable, where,
                                                                        std::move(job));
}

}  // namespace graft::async
