#include "admin/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace graft::admin {

namespace {
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
}  // namespace

Wire::Socket& Wire::socket() {
  if (auto* const plain = std::get_if<Socket>(&stream_)) return *plain;
  return std::get<Tls>(stream_).next_layer();
}

asio::awaitable<error_code> Wire::shake_hands() {
  const auto [error] = co_await std::get<Tls>(stream_).async_handshake(asio::ssl::stream_base::server, quietly);
  co_return error;
}

asio::awaitable<error_code> Wire::read_some(std::string& into, std::size_t limit) {
  const std::size_t before = into.size();
  into.resize(before + limit);
  const auto space = asio::buffer(into.data() + before, limit);
  error_code error;
  std::size_t size = 0;
  if (auto* const plain = std::get_if<Socket>(&stream_)) {
    std::tie(error, size) = co_await plain->async_read_some(space, quietly);
  } else {
    std::tie(error, size) = co_await std::get<Tls>(stream_).async_read_some(space, quietly);
  }
  into.resize(before + size);
  co_return error;
}

asio::awaitable<Wire::Written> Wire::write_some(std::string_view bytes) {
  const auto piece = asio::buffer(bytes.data(), bytes.size());
  Written out;
  if (auto* const plain = std::get_if<Socket>(&stream_)) {
    std::tie(out.error, out.size) = co_await plain->async_write_some(piece, quietly);
  } else {
    std::tie(out.error, out.size) = co_await std::get<Tls>(stream_).async_write_some(piece, quietly);
  }
  co_return out;
}

asio::awaitable<void> Wire::say_goodbye() {
  if (secure()) {
    // The peer's answer is waited for by whoever reads on; our half is enough here.
    auto& tls = std::get<Tls>(stream_);
    co_await tls.async_shutdown(quietly);
    co_return;
  }
  error_code ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

void Wire::on_readable(std::function<void(error_code)> then) {
  socket().async_wait(Socket::wait_read, std::move(then));
}

void Wire::cancel() {
  error_code ignored;
  socket().cancel(ignored);
}

void Wire::close() {
  error_code ignored;
  socket().close(ignored);
}

}  // namespace graft::admin
