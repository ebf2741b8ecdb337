#include "async/semaphore.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace graft::async {

// A place in the queue. It undoes itself when its frame goes, whether resumed, cancelled or destroyed unresumed.
class Semaphore::Waiter {
 public:
  Waiter(Semaphore& semaphore, const asio::any_io_executor& executor)
      : wake(executor, asio::steady_timer::time_point::max()),
        semaphore_(semaphore),
        place_(semaphore.waiters_.insert(semaphore.waiters_.end(), this)) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (!served_) semaphore_.waiters_.erase(place_);
  }

  void serve(Permit permit) noexcept {
    served_ = true;
    permit_ = std::move(permit);
    wake.cancel();
  }
  [[nodiscard]] bool served() const { return served_; }
  [[nodiscard]] Permit take() { return std::move(permit_); }

  asio::steady_timer wake;

 private:
  Semaphore& semaphore_;
  std::list<Waiter*>::iterator place_;
  Permit permit_;
  bool served_ = false;
};

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    release();
    from_ = std::exchange(other.from_, nullptr);
  }
  return *this;
}

void Permit::release() noexcept {
  if (Semaphore* from = std::exchange(from_, nullptr)) from->give_back();
}

asio::awaitable<Permit> Semaphore::acquire() {
  if (waiters_.empty() && in_use_ < limit_) {
    ++in_use_;
    co_return Permit(*this);
  }
  Waiter waiter(*this, co_await asio::this_coro::executor);
  // Woken by serve() or by our caller's cancellation; both end the wait with an error code, so the flag decides.
  co_await waiter.wake.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiter.served()) throw boost::system::system_error(asio::error::operation_aborted);
  co_return waiter.take();
}

void Semaphore::set_limit(std::size_t limit) {
  limit_ = limit;
  serve();
}

void Semaphore::give_back() noexcept {
  --in_use_;
  serve();
}

void Semaphore::serve() noexcept {
  while (!waiters_.empty() && in_use_ < limit_) {
    Waiter* const first = waiters_.front();
    waiters_.pop_front();
    ++in_use_;
    first->serve(Permit(*this));
  }
}

}  // namespace graft::async
