// One HTTP exchange, whoever carries it out. Implementations: beast_transport (real sockets, kept-alive connections,
// TLS) and fake_transport (tests). Decorators (retry, counting) wrap the same interface.
//
// Used from the one thread of the io_context. Nothing here follows redirects or knows Grafana.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace graft::http {

namespace asio = boost::asio;

using Headers = std::vector<std::pair<std::string, std::string>>;

// A class with a constructor, not an aggregate: g++ 12 destroys aggregate temporaries in a co_await twice.
class Request {
 public:
  Request(std::string method_name, std::string target_path)
      : method(std::move(method_name)), target(std::move(target_path)) {}

  std::string method;                         // "GET"
  std::string target;                         // path and query, already percent-encoded, below the transport's base URL
  Headers headers;                            // Host, Content-Length and Connection are the transport's own
  std::string body;                           // sent when not empty
  bool idempotent = true;                     // false: never sent twice, and a lost reply is ErrorCode::ambiguous
  std::chrono::milliseconds timeout{30'000};  // for the whole exchange, connecting included
  // Headers that hold a secret (Authorization) are wiped by the transport after the exchange.
};

class Response {
 public:
  int status = 0;
  Headers headers;   // names as sent by the server
  std::string body;  // whole; at most the transport's limit

  [[nodiscard]] std::string_view header(std::string_view name) const;  // "" when absent; name in any case
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Errors: unavailable (no connection, or an idempotent request's reply was lost), timeout (idempotent, out of time),
  // ambiguous (a request that is not idempotent was sent and its whole reply did not arrive), protocol (not HTTP, body
  // too large), cancelled. A status of any number is a Response, not an error.
  [[nodiscard]] virtual asio::awaitable<Result<Response>> exchange(Request request) = 0;
};

}  // namespace graft::http
