#include "http/dialer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <initializer_list>
#include <memory>
#include <optional>
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

// The IPv4 address that an IPv6 one stands for, if it does.
std::optional<asio::ip::address_v4> within(const asio::ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const auto at = [&](std::size_t i) {
    return asio::ip::address_v4({bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]});
  };
  const auto begins_with = [&](std::initializer_list<unsigned char> start) {
    return std::equal(start.begin(), start.end(), bytes.begin());
  };
  if (address.is_v4_mapped()) return at(12);
  if (begins_with({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return at(12);                // NAT64
  if (begins_with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) && !address.is_loopback()) return at(12);  // compatible
  if (begins_with({0x20, 0x02})) return at(2);                                                     // 6to4
  return std::nullopt;
}

bool is_link_local(const asio::ip::address_v4& address) {
  const auto bytes = address.to_bytes();
  const bool metadata = bytes == asio::ip::address_v4::bytes_type{100, 100, 100, 200};
  return (bytes[0] == 169 && bytes[1] == 254) || bytes[0] == 0 || address.is_multicast() || metadata;
}

bool is_link_local(const asio::ip::address_v6& address) {
  static const auto metadata = asio::ip::make_address_v6("fd00:ec2::254").to_bytes();
  if (const auto inner = within(address)) return is_link_local(*inner);
  return address.is_link_local() || address.is_multicast() || address.is_unspecified() ||
         address.to_bytes() == metadata;
}

Error refused(const BaseUrl& server, const tcp::endpoint& address) {
  return Error(ErrorCode::blocked, fmt::format("{} has the address {}, which is never connected to", server.host,
                                               address.address().to_string()))
      .with_hint("link-local, multicast and metadata addresses are refused here");
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

bool is_link_local(const asio::ip::address& address) {
  return address.is_v4() ? is_link_local(address.to_v4()) : is_link_local(address.to_v6());
}

asio::awaitable<Result<tcp::socket>> dial(const BaseUrl& server, std::chrono::milliseconds timeout,
                                          bool refuse_link_local) {
  auto finding = look_up(server);
  auto addresses =
      co_await async::with_deadline(std::move(finding), timeout, "looking up the address of " + server.host);
  if (!addresses) {
    if (addresses.error().code == ErrorCode::timeout) addresses.error().code = ErrorCode::unavailable;
    co_return fail(std::move(addresses.error()));
  }
  if (refuse_link_local) {
    const tcp::endpoint first = addresses->front();
    std::erase_if(*addresses, [](const tcp::endpoint& each) { return is_link_local(each.address()); });
    if (addresses->empty()) co_return fail(refused(server, first));
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
