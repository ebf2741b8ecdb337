// Semaphore: at most so many at a time; waiters are served in the order of their coming. Lane: one at a time.
//
// For coroutines of one thread. A freed permit is handed to the first waiter itself, so that no newcomer overtakes it;
// a waiter that is cancelled leaves the queue and takes no permit with it. The semaphore outlives its permits and
// waiters.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <list>
#include <utility>

namespace graft::async {

namespace asio = boost::asio;

class Semaphore;

// Holds one permit until destroyed or released.
class [[nodiscard]] Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  Permit& operator=(Permit&& other) noexcept;
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { release(); }

  void release() noexcept;
  [[nodiscard]] bool held() const { return from_ != nullptr; }

 private:
  friend class Semaphore;
  explicit Permit(Semaphore& from) : from_(&from) {}
  Semaphore* from_ = nullptr;
};

class Semaphore {
 public:
  explicit Semaphore(std::size_t limit) : limit_(limit) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Waits for a permit; throws operation_aborted when the caller is cancelled.
  [[nodiscard]] asio::awaitable<Permit> acquire();

  // A lower limit takes effect as permits come back; a higher one at once.
  void set_limit(std::size_t limit);
  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

 private:
  friend class Permit;
  class Waiter;
  void give_back() noexcept;
  void serve() noexcept;

  std::size_t limit_;
  std::size_t in_use_ = 0;
  std::list<Waiter*> waiters_;  // each lives in the frame of its acquire()
};

class Lane : public Semaphore {
 public:
  Lane() : Semaphore(1) {}
};

}  // namespace graft::async
