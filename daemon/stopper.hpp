// How a graftd process is told to stop, by SIGTERM or SIGINT.
//
// First signal: `stopping()` turns true, so nothing new is begun; after a quarter of a minute what is in flight is
// cancelled; after 19 s the process ends all the same (a key in flight is recovered by the next start, docs/tokens.md).
// Second signal: the process ends at once, with 143 or 130.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/log.hpp"

namespace graft::daemon {

class Stopper {
 public:
  // `stopped` is called once, at the first signal; `hang_up` at every SIGHUP (null: SIGHUP is not handled).
  Stopper(boost::asio::io_context& io, Log& log, std::function<void()> stopped, std::function<void()> hang_up);

  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] boost::asio::cancellation_slot slot() { return cancel_.slot(); }
  void stop_from_within() { stopping_ = true; }  // the loop itself has reached its end
  void finished();                               // the work is over: nothing more is waited for

 private:
  void listen();
  void handle(int signal);

  Log& log_;
  std::function<void()> stopped_, hang_up_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer drain_, last_resort_;
  boost::asio::cancellation_signal cancel_;
  bool stopping_ = false;
};

}  // namespace graft::daemon
