// A server with toy routes on a thread of its own, and a raw client that sends any bytes.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "admin/broadcast.hpp"
#include "admin/server.hpp"
#include "support/temporary_directory.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace graft::test {

class RecordingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::size_t lines() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// GET /-/healthy /doc (ETag) /page (HTML) /big (64 MiB) /events /trusted /wait (until stopped) /throw /throw-int,
// POST /change (answers the size of its body).
class Endpoint {
 public:
  // On a free port of 127.0.0.1 with the token "t0ken", unless the settings say otherwise.
  explicit Endpoint(admin::ServerSettings settings = {});
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint() { stop(); }

  void stop();                                // and waits until the io_context has nothing left to do
  [[nodiscard]] std::string counted() const;  // "/doc 200\n…"
  [[nodiscard]] int port() const { return server_->port(); }
  [[nodiscard]] double cpu_seconds();  // of the server's thread

  TemporaryDirectory files;
  RecordingLog log;
  admin::Broadcast events;
  std::atomic<int> calls{0};    // of any handler
  std::atomic<int> changes{0};  // of POST /change

 private:
  std::vector<admin::Route> routes();
  boost::asio::io_context io_{1};
  mutable std::mutex mutex_;
  std::string counted_;
  std::unique_ptr<admin::Server> server_;
  std::thread thread_;
};

struct RawReply {
  int status = 0;                              // 0: the connection ended without one
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string head;
  [[nodiscard]] std::string header(const std::string& name) const;
};

class RawClient {
 public:
  explicit RawClient(int port, ssl_ctx_st* tls = nullptr);  // 127.0.0.1
  explicit RawClient(const std::string& socket_path);
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient();

  void send(std::string_view bytes);
  void finish();  // no more will be sent
  RawReply reply(bool head_only = false);
  std::string read_until(const std::string& text);  // all up to and with it; what there was when the connection ended
  bool ended();                                     // reads on until the server closes; false after 20 s
  [[nodiscard]] std::string peer_name() const;      // of the server's certificate
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  bool receive();
  int descriptor_ = -1;
  bool connected_ = false;
  ssl_st* session_ = nullptr;
  std::string pending_;
};

// "GET /path HTTP/1.1" with Host and further header lines, each with its line end.
std::string get(std::string_view target, std::string_view more = "");
std::string post(std::string_view target, std::string_view more, std::string_view body);
inline constexpr std::string_view right_token = "Authorization: Bearer t0ken\r\nContent-Type: application/json\r\n";

RawReply ask(int port, std::string_view bytes, bool head_only = false);  // on a connection of its own

}  // namespace graft::test
