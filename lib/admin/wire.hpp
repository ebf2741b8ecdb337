// One accepted connection as a stream of bytes: TCP, TCP with TLS, or a Unix socket, so that what is above is compiled
// once. Errors are values; an operation is ended by cancel() or close(). One operation of a kind at a time.
//
// For .cpp files: it brings Asio's sockets and TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace graft::admin {

namespace asio = boost::asio;
using boost::system::error_code;

class Wire {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  explicit Wire(Socket socket) : stream_(std::move(socket)) {}
  Wire(Socket socket, ssl_st* session) : stream_(std::in_place_type<Tls>, std::move(socket), session) {}

  [[nodiscard]] bool secure() const { return std::holds_alternative<Tls>(stream_); }
  [[nodiscard]] asio::awaitable<error_code> shake_hands();
  // Appends what comes, at most `limit` bytes.
  [[nodiscard]] asio::awaitable<error_code> read_some(std::string& into, std::size_t limit);
  struct Written {
    error_code error;
    std::size_t size = 0;
  };
  [[nodiscard]] asio::awaitable<Written> write_some(std::string_view bytes);
  [[nodiscard]] asio::awaitable<void> say_goodbye();  // no more will be written

  // Calls back once anything can be read, be it the end. Cancelled by cancel() and close(), which call back too.
  void on_readable(std::function<void(error_code)> then);
  void cancel();
  void close();

 private:
  using Tls = asio::ssl::stream<Socket>;
  [[nodiscard]] Socket& socket();
  std::variant<Socket, Tls> stream_;
};

}  // namespace graft::admin
