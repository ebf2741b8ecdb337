// From a host name and port to a connected TCP socket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "base/result.hpp"
#include "http/base_url.hpp"

namespace graft::http {

namespace asio = boost::asio;

// Tries each address of the host in turn. Every failure is ErrorCode::unavailable, worth a retry, with a hint at what
// to check; ErrorCode::cancelled when the caller is. Names are looked up anew each time: no stale address is kept.
// `refuse_link_local`: addresses of which is_link_local() is true are passed over as if the name did not have them;
// ErrorCode::blocked when there are no others.
[[nodiscard]] asio::awaitable<Result<asio::ip::tcp::socket>> dial(const BaseUrl& server,
                                                                  std::chrono::milliseconds timeout,
                                                                  bool refuse_link_local = false);

// An address that no remote service has, and behind which the metadata of a cloud's machine may be: link-local
// (169.254.0.0/16, fe80::/10), multicast, unspecified (0.0.0.0/8, ::), the metadata services outside of those
// (fd00:ec2::254, 100.100.100.200), and all IPv4 ones of these as IPv6 writes them (mapped, compatible, NAT64, 6to4).
[[nodiscard]] bool is_link_local(const asio::ip::address& address);

}  // namespace graft::http
