// One connection from its first byte to its end: reads requests, asks the policy, calls the handler, writes answers,
// within the limits of time. Lives in its coroutine; the server holds no more than a pointer, taken back by close().
//
// For .cpp files, as wire.hpp.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "admin/core.hpp"
#include "admin/wire.hpp"

namespace graft::admin {

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `local_address` as it stands in a Host header: "127.0.0.1", "[::1]".
  Session(std::shared_ptr<Core> core, asio::any_io_executor executor, Wire wire, Channel channel,
          std::string local_address);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  void start();  // spawns the coroutine
  void close();  // the socket, and with it whatever waits for it; leaves the core's lists
  void stop();   // close(), and the handler is cancelled

  enum class State : std::uint8_t { waiting, handling, writing, streaming };
  [[nodiscard]] State state() const { return state_; }
  // waiting: since when there is no complete request; writing: when a byte was taken last.
  [[nodiscard]] SteadyTime since() const { return since_; }
  void wake() { wake_.cancel(); }  // a stream: there may be news

 private:
  struct Exchange;  // one request and what is known of it

  asio::awaitable<void> run();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> receive_head(Exchange& exchange);
  asio::awaitable<void> receive_body(Exchange& exchange);
  asio::awaitable<void> take_body(Exchange& exchange);
  void admit(Exchange& exchange);
  void admit_change(Exchange& exchange);
  asio::awaitable<void> handle(Exchange& exchange);
  asio::awaitable<bool> answer(Exchange& exchange);
  asio::awaitable<bool> write(std::string_view bytes);
  asio::awaitable<void> part();
  asio::awaitable<void> stream(Exchange& exchange);
  asio::awaitable<bool> write_news(std::uint64_t& last);
  [[nodiscard]] Result<bool> bears_token(const Exchange& exchange);

  void enter(State state);
  void allow(std::chrono::milliseconds time);  // for what follows: then the operations under way are cancelled
  void allow_any_time();

  std::shared_ptr<Core> core_;
  Wire wire_;
  const Channel channel_;
  const std::string local_address_;
  asio::any_io_executor executor_;
  asio::steady_timer deadline_, wake_;
  asio::cancellation_signal cancellation_;
  std::string pending_;  // read, and not yet part of a request
  State state_ = State::waiting;
  SteadyTime since_;
  bool expired_ = false;  // the time allowed is over
  bool closed_ = false;
  bool served_ = false;  // an answer has been given: the next request may be waited for longer
};

}  // namespace graft::admin
