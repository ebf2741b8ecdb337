#include "http/dialer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "async/deadline.hpp"

namespace graft::http {

namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Addresses = std::vector<tcp::endpoint>;

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

Error cancelled() { return Error(ErrorCode::cancelled, "stopped before it was done"); }

// A lookup under way. Asio cannot interrupt getaddrinfo, so the lookup is left behind when its time is over.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor)
      : resolver(executor), finished(executor, asio::steady_timer::time_point::max()) {}
  tcp::resolver resolver;
  asio::steady_timer finished;
  bool done = false;
  error_code error;
  Addresses addresses;
};

asio::awaitable<Result<Addresses>> look_up(const BaseUrl& server) {
  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  auto keep = [lookup](const error_code& error, const tcp::resolver::results_type& found) {
    lookup->done = true;
    lookup->error = error;
    for (const auto& entry : found) lookup->addresses.push_back(entry.endpoint());
    lookup->finished.cancel();
  };
  lookup->resolver.async_resolve(server.host, std::to_string(server.port), std::move(keep));
  co_await lookup->finished.async_wait(quietly);
  if (!lookup->done) {
    lookup->resolver.cancel();
    co_return fail(cancelled());
  }
  if (lookup->error || lookup->addresses.empty()) {
    const std::string reason = lookup->error ? lookup->error.message() : "it has none";
    co_return fail(Error(ErrorCode::unavailable, fmt::format("cannot find the address of {}: {}", server.host, reason))
                       .with_hint("check the host in grafana.url and the DNS of this machine")
                       .retry());
  }
  co_return std::move(lookup->addresses);
}

Error cannot_connect(const BaseUrl& server, const tcp::endpoint& address, std::string_view reason) {
  const std::string number = address.address().to_string();
  const std::string where = number == server.host ? "" : fmt::format(" ({})", number);
  return Error(ErrorCode::unavailable,
               fmt::format("cannot connect to {}:{}{}: {}", server.host, server.port, where, reason))
      .with_hint("is Grafana running there, and are host and port of grafana.url right?")
      .retry();
}

asio::awaitable<Result<tcp::socket>> connect(const BaseUrl& server, tcp::endpoint address) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const auto [error] = co_await socket.async_connect(address, quietly);
  if (error == asio::error::operation_aborted) co_return fail(cancelled());
  if (error) co_return fail(cannot_connect(server, address, error.message()));
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  co_return socket;
}

}  // namespace

asio::awaitable<Result<tcp::socket>> dial(const BaseUrl& server, std::chrono::milliseconds timeout) {
  auto finding = look_up(server);
  auto addresses =
      co_await async::with_deadline(std::move(finding), timeout, "looking up the address of " + server.host);
  if (!addresses) {
    if (addresses.error().code == ErrorCode::timeout) addresses.error().code = ErrorCode::unavailable;
    co_return fail(std::move(addresses.error()));
  }
  // An address that swallows packets must leave time for the others.
  const auto share = std::max(timeout / static_cast<int>(std::min<std::size_t>(addresses->size(), 4)),
                              std::min(timeout, std::chrono::milliseconds(1'000)));
  Error last = cancelled();
  for (const tcp::endpoint& address : *addresses) {
    auto connecting = connect(server, address);
    auto socket = co_await async::with_deadline(std::move(connecting), share, "connecting");
    if (socket) co_return std::move(*socket);
    last = std::move(socket.error());
    if (last.code == ErrorCode::cancelled) break;
    if (last.code == ErrorCode::timeout)
      last = cannot_connect(server, address, fmt::format("no answer within {} ms", share.count()));
  }
  co_return fail(std::move(last));
}

}  // namespace graft::http
