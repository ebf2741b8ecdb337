#include "daemon/stopper.hpp"

#include <csignal>
#include <unistd.h>

namespace graft::daemon {

namespace {
constexpr std::chrono::seconds drain_time{15};
constexpr std::chrono::seconds last_resort_time{19};
}  // namespace

Stopper::Stopper(boost::asio::io_context& io, Log& log, std::function<void()> stopped, std::function<void()> hang_up)
    : log_(log),
      stopped_(std::move(stopped)),
      hang_up_(std::move(hang_up)),
      signals_(io, SIGINT, SIGTERM),
      drain_(io),
      last_resort_(io) {
  if (hang_up_) signals_.add(SIGHUP);
  listen();
}

void Stopper::listen() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    listen();
    handle(signal);
  });
}

void Stopper::handle(int signal) {
  if (signal == SIGHUP) return hang_up_();
  if (stopping_) ::_exit(signal == SIGINT ? 130 : 143);
  stopping_ = true;
  log_.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  stopped_();
  drain_.expires_after(drain_time);
  drain_.async_wait([this](boost::system::error_code error) {
    if (!error) cancel_.emit(boost::asio::cancellation_type::terminal);
  });
  last_resort_.expires_after(last_resort_time);
  last_resort_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    log_.warning("stopped while a request was in flight; the next start finds out what became of it");
    ::_exit(0);
  });
}

void Stopper::finished() {
  signals_.cancel();
  drain_.cancel();
  last_resort_.cancel();
}

}  // namespace graft::daemon
