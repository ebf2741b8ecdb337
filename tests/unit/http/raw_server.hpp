// A server of the tests: plain blocking sockets, a thread a connection, port 0 of the loopback address. What it does on
// its n-th connection is a function of the test, so that it can misbehave in any way.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace graft::test {

class RawConnection {
 public:
  RawConnection(int descriptor, ssl_st* session, int number);
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection();

  // One whole request, head and body; "" when the client has closed.
  std::string read_request();
  void send(std::string_view bytes);
  bool closed_by_client();                              // waits until the client closes or sends
  void reset();                                         // ends the connection by RST
  [[nodiscard]] int number() const { return number_; }  // from 1

 private:
  long receive(char* into, std::size_t size);

  int descriptor_;
  ssl_st* session_;
  int number_;
  std::string pending_;
};

class RawServer {
 public:
  using Script = std::function<void(RawConnection&)>;

  explicit RawServer(Script script, ssl_ctx_st* tls = nullptr);
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();
  void serve(int descriptor, int number);

  Script script_;
  ssl_ctx_st* tls_;
  int listener_;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

// "HTTP/1.1 200 OK" with a length.
std::string reply(std::string_view body, std::string_view status = "200 OK", std::string_view more_headers = "");

}  // namespace graft::test
