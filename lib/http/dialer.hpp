// From a host name and port to a connected TCP socket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "base/result.hpp"
#include "http/base_url.hpp"

namespace graft::http {

namespace asio = boost::asio;

// Tries each address of the host in turn. Every failure is ErrorCode::unavailable, worth a retry, with a hint at what
// to check; ErrorCode::cancelled when the caller is. Names are looked up anew each time: no stale address is kept.
[[nodiscard]] asio::awaitable<Result<asio::ip::tcp::socket>> dial(const BaseUrl& server,
                                                                  std::chrono::milliseconds timeout);

}  // namespace graft::http
