// An HTTP/1.1 server on one thread of its own: connections, keep-alive, going down and coming back. Knows no Grafana.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "message.hpp"

namespace graft::simulator {

// What happens after a request: bytes are sent, perhaps later, and the connection stays or goes.
struct Outgoing {
  std::string bytes;
  bool close = false;
  std::chrono::milliseconds delay{0};
};

class HttpServer {
 public:
  // Called on the server's thread, for one request after the other.
  using Handler = std::function<Outgoing(Request request, std::uint64_t connection)>;

  HttpServer(const std::string& host, unsigned short port, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  unsigned short port() const;

  // Both may be called on the server's thread too, that is, by the handler.
  void stop_listening();  // closes all connections
  void start_listening();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graft::simulator
