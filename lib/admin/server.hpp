// The admin endpoint's HTTP/1.1 server: TCP (loopback by default) and a Unix socket, hardened for a port that
// browsers and strangers can reach (reliability T53). It knows connections, limits and who may ask; what is answered is
// the routes' business.
//
// Everything runs on the io_context given, one thread. The server may be made before run() and is to be stopped, and
// its io_context run until idle, before it is destroyed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"

namespace graft::admin {

namespace asio = boost::asio;

struct Request {
  std::string method;                        // "GET" (HEAD is answered as GET without its body), "POST"
  std::string path;                          // "/api/v1/status", exactly as sent
  std::map<std::string, std::string> query;  // percent-decoded
  std::string body;
  bool trusted = false;  // came over the Unix socket, or with the bearer token
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;          // shared, so that a large document is not copied for each reader
  std::string etag;                                 // quoted; answered by 304 to a matching If-None-Match
  std::map<std::string, std::string> headers = {};  // further ones; they replace ours of the same name
  bool events = false;                              // the answer is the stream of Broadcast events; body is not used
};

[[nodiscard]] Response text_response(int status, std::string body,
                                     std::string content_type = "text/plain; charset=utf-8");
[[nodiscard]] Response json_response(int status, std::string body);
[[nodiscard]] Response error_response(int status, std::string_view message);  // {"error": message}

// What every answer of text/html carries, unless its `headers` say it themselves: scripts and styles of this origin and
// those inside the page (by their digests), nothing else. For a large page compute it once, and keep it in `headers`.
// Attributes (onclick=, style=) are not covered: a browser ignores them.
[[nodiscard]] std::string content_security_policy(std::string_view html);

struct Route {
  std::string_view method;   // "GET" or "POST"
  std::string_view path;     // matched exactly
  std::string_view summary;  // one line, for the OpenAPI document
  bool changes = false;      // POST: needs trust and `Content-Type: application/json`
  std::function<asio::awaitable<Response>(const Request&)> handle;
};

struct Limits {
  std::size_t header_bytes = 8 * 1024, body_bytes = 1024 * 1024;
  // Beyond it the one that has waited longest without a complete request is closed; if there is none, one that has not
  // taken a byte of its answer for `stalled`; else the newcomer.
  std::size_t connections = 64;
  std::size_t streams = 16;  // of events, beside the connections
  std::chrono::milliseconds header_timeout{5'000}, idle_timeout{30'000};
  std::chrono::milliseconds body_timeout{10'000};    // for the whole body
  std::chrono::milliseconds write_timeout{10'000};   // for each 256 KiB of an answer
  std::chrono::milliseconds stalled{1'000};          // see connections
  std::chrono::milliseconds comment_period{15'000};  // of a stream without events
};

struct ServerSettings {
  std::string listen;               // "127.0.0.1:9417", "[::1]:0"; empty: no TCP
  std::string socket;               // path of the Unix socket (0600); empty: none. A stale one is replaced.
  std::vector<std::string> hosts;   // further names accepted in the Host header, without port
  std::string token_file;           // read for every request that needs it; empty: changing requests are refused (403)
  std::string cert_file, key_file;  // PEM; both: TLS on the TCP side
  bool allow_remote = false;        // without it, an address that is not loopback needs token_file and TLS
  Limits limits = {};
};

class Broadcast;  // broadcast.hpp

class Server {
 public:
  // Called after each answer: the route's path ("other" when there is none), and the status.
  using Counted = std::function<void(std::string_view route, int status)>;

  // Binds at once. Errors: invalid (a setting), io (address in use …). `events` and `log` outlive the server and its
  // coroutines.
  [[nodiscard]] static Result<std::unique_ptr<Server>> make(asio::io_context& io, const ServerSettings& settings,
                                                            std::vector<Route> routes, Broadcast& events,
                                                            Counted counted, Log& log);
  ~Server();

  [[nodiscard]] std::uint16_t port() const;  // 0 without TCP
  // Closes everything, cancels handlers; streams end. On the io_context's thread, or while it does not run. The
  // destructor does the same.
  void stop();

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace graft::admin
