#include "http/beast_transport.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <variant>

#include "async/cancelled.hpp"
#include "async/deadline.hpp"
#include "base/clock.hpp"
#include "http/base_url.hpp"
#include "http/dialer.hpp"
#include "http/request_text.hpp"
#include "http/tls_context.hpp"

namespace graft::http {

namespace {

namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t header_limit = 64 * 1024;

// A reply may hold a key: what is read passes through memory that is wiped when it is given back.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    OPENSSL_cleanse(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};
using ReadBuffer = boost::beast::basic_flat_buffer<WipingAllocator<char>>;
using Parser = beast_http::response_parser<beast_http::string_body>;

// How far one attempt got: decides what may be tried again and what the caller may believe.
struct Progress {
  bool reused = false;    // on a connection that had served before
  bool sent = false;      // bytes of the request may have reached the server
  bool replied = false;   // bytes of a reply came back
  bool reusable = false;  // the connection may serve again
};

Error cancelled() { return Error(ErrorCode::cancelled, "stopped before it was done"); }

Error unreadable(std::string why) {
  return Error(ErrorCode::protocol, std::move(why))
      .with_hint("is it Grafana that answers at grafana.url, or something in between?");
}

Error reading_error(const error_code& error, const Progress& progress, std::size_t body_limit) {
  if (error == asio::error::operation_aborted) return cancelled();
  if (error == beast_http::error::body_limit)
    return unreadable(fmt::format("the reply is larger than {} bytes", body_limit));
  if (error == beast_http::error::header_limit) return unreadable("the head of the reply is larger than 64 KiB");
  const bool ended = error == beast_http::error::end_of_stream || error == beast_http::error::partial_message ||
                     error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  if (!ended && error.category() == make_error_code(beast_http::error::bad_version).category())
    return unreadable(fmt::format("the reply is not HTTP: {}", error.message()));
  const std::string_view reason = progress.replied ? "the reply was cut short" : "the connection broke before a reply";
  return Error(ErrorCode::unavailable, fmt::format("{}: {}", reason, ended ? "closed by the server" : error.message()))
      .retry();
}

struct ReplyRules {
  std::size_t body_limit = 0;
  bool status_suffices = false;
};

// A reply without length ends when the connection does, and so would one that was cut. What it says may help a person.
template <class Stream>
asio::awaitable<Error> endless(Stream& stream, ReadBuffer& buffer, Parser& parser) {
  co_await beast_http::async_read_some(stream, buffer, parser, quietly);
  const int status = static_cast<int>(parser.get().result_int());
  Error error =
      unreadable(fmt::format("the reply (status {}) has no length, so it cannot be known to be whole", status));
  // A success may hold what was asked for: a key.
  constexpr int first_refusal = 400;
  if (status >= first_refusal) co_return std::move(error).with_server_text(parser.get().body());
  co_return error;
}

Response to_response(Parser& parser) {
  Response out;
  auto& message = parser.get();
  out.status = static_cast<int>(message.result_int());
  for (const auto& field : message) out.headers.emplace_back(field.name_string(), field.value());
  out.body = std::move(message.body());
  return out;
}

template <class Stream>
asio::awaitable<Result<Response>> read_reply(Stream& stream, const RequestText& request, ReplyRules rules,
                                             Progress& progress) {
  ReadBuffer buffer;
  constexpr int most_interim_replies = 8;
  for (int interim = 0; interim < most_interim_replies; ++interim) {
    Parser parser;
    parser.header_limit(header_limit);
    parser.body_limit(rules.body_limit);
    parser.skip(!request.expects_body());
    const auto [head_error, head_size] = co_await beast_http::async_read_header(stream, buffer, parser, quietly);
    progress.replied = progress.replied || parser.got_some() || buffer.size() > 0;
    // Said already by its Content-Length: the head was read.
    if (head_error == beast_http::error::body_limit && rules.status_suffices) co_return to_response(parser);
    if (head_error) co_return fail(reading_error(head_error, progress, rules.body_limit));
    if (parser.get().result_int() < 200) continue;  // 103 Early Hints and the like
    if (parser.need_eof() && !parser.is_done() && !rules.status_suffices)
      co_return fail(co_await endless(stream, buffer, parser));
    if (!parser.is_done()) {
      const auto [body_error, body_size] = co_await beast_http::async_read(stream, buffer, parser, quietly);
      if (body_error && !rules.status_suffices) co_return fail(reading_error(body_error, progress, rules.body_limit));
      if (body_error) co_return to_response(parser);
    }
    progress.reusable = parser.keep_alive() && buffer.size() == 0;
    co_return to_response(parser);
  }
  co_return fail(unreadable("no reply but interim ones"));
}

template <class Stream>
asio::awaitable<Result<Response>> talk(Stream& stream, const RequestText& request, ReplyRules rules,
                                       Progress& progress) {
  const std::array<asio::const_buffer, 2> parts{asio::buffer(request.head()), asio::buffer(request.body())};
  progress.sent = true;
  const auto [error, size] = co_await asio::async_write(stream, parts, quietly);
  if (error == asio::error::operation_aborted) co_return fail(cancelled());
  // Of TLS not even "0 bytes" proves that nothing left.
  if (error && size == 0 && std::is_same_v<Stream, tcp::socket>) progress.sent = false;
  // A server that refuses a large body answers and closes early: its reply is worth reading although writing failed.
  auto reply = co_await read_reply(stream, request, rules, progress);
  progress.reusable = progress.reusable && !error;
  co_return reply;
}

class Connection {
 public:
  explicit Connection(tcp::socket socket) : stream_(std::move(socket)) {}
  Connection(tcp::socket socket, ssl_st* session)
      : stream_(std::in_place_type<TlsStream>, std::move(socket), session) {}

  [[nodiscard]] TlsStream& tls() { return std::get<TlsStream>(stream_); }

  asio::awaitable<Result<Response>> exchange(const RequestText& request, ReplyRules rules, Progress& progress) {
    if (auto* plain = std::get_if<tcp::socket>(&stream_)) return talk(*plain, request, rules, progress);
    return talk(tls(), request, rules, progress);
  }

  // Anything to be read on a connection at rest, even its end, means that it cannot serve again.
  [[nodiscard]] bool at_rest() {
    tcp::socket* const plain = std::get_if<tcp::socket>(&stream_);
    const int descriptor = (plain != nullptr ? *plain : tls().next_layer()).native_handle();
    char byte = 0;
    return ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  SteadyTime idle_since;

 private:
  std::variant<tcp::socket, TlsStream> stream_;
};

asio::awaitable<Result<void>> shake_hands(Connection& connection, const BaseUrl& server) {
  Distrust distrust;
  auto judge = [&distrust](bool accepted, asio::ssl::verify_context& verification) {
    if (!accepted && distrust.reason == 0) note_distrust(verification.native_handle(), distrust);
    return accepted;
  };
  connection.tls().set_verify_callback(judge);
  const auto [error] = co_await connection.tls().async_handshake(asio::ssl::stream_base::client, quietly);
  // The note goes with this frame, the connection stays: later verifications are none of ours.
  connection.tls().set_verify_callback([](bool accepted, asio::ssl::verify_context&) { return accepted; });
  if (!error) co_return Result<void>{};
  if (error == asio::error::operation_aborted) co_return fail(cancelled());
  const bool from_openssl = error.category() == asio::error::get_ssl_category();
  const auto reason = from_openssl ? static_cast<unsigned long>(error.value()) : 0UL;
  const std::string why = distrust.reason != 0 ? "its certificate is not trusted: " + distrust.text : error.message();
  co_return fail(
      Error(ErrorCode::unavailable, fmt::format("no TLS connection to {}:{}: {}", server.host, server.port, why))
          .with_hint(handshake_hint(distrust, reason))
          .retry());
}

class BeastTransport final : public Transport {
 public:
  BeastTransport(Endpoint endpoint, BaseUrl server, std::optional<TlsContext> tls)
      : endpoint_(std::move(endpoint)), server_(std::move(server)), tls_(std::move(tls)) {}

  asio::awaitable<Result<Response>> exchange(Request request) override {
    const bool idempotent = request.idempotent;
    const auto timeout = request.timeout;
    auto text = RequestText::render(request, server_, endpoint_.user_agent);
    if (!text) co_return fail(std::move(text.error()));
    Progress progress;
    Result<Response> reply = fail(cancelled());
    try {
      auto work = attempts(*text, idempotent, progress);
      reply = co_await async::with_deadline(std::move(work), timeout, text->name());
    } catch (...) {
      reply = fail(async::cancelled_or_rethrow());
    }
    if (!reply) reply = fail(judged(std::move(reply.error()), *text, idempotent, progress));
    co_return reply;
  }

 private:
  // The last word on a failure: after a request that may have been carried out, only "ambiguous" is true.
  static Error judged(Error error, const RequestText& text, bool idempotent, const Progress& progress) {
    if (error.code == ErrorCode::cancelled) return error;
    if (progress.sent && !idempotent) {
      error.code = ErrorCode::ambiguous;
      error.retryable = false;
      error.hint = "it may have been carried out: what there is must be looked at before it is sent again";
    }
    return error.message.starts_with(text.name()) ? error : std::move(error).context(text.name());
  }

  asio::awaitable<Result<Response>> attempts(const RequestText& text, bool idempotent, Progress& progress) {
    auto reply = co_await attempt(text, take_idle(), progress);
    const bool broken = !reply && reply.error().code == ErrorCode::unavailable && !progress.replied;
    if (!broken || !progress.reused || (progress.sent && !idempotent)) co_return reply;
    progress = Progress{};
    co_return co_await attempt(text, nullptr, progress);
  }

  asio::awaitable<Result<Response>> attempt(const RequestText& text, std::unique_ptr<Connection> connection,
                                            Progress& progress) {
    progress.reused = connection != nullptr;
    if (!connection) {
      auto made = co_await connect();
      if (!made) co_return fail(std::move(made.error()));
      connection = std::move(*made);
    }
    const ReplyRules rules{endpoint_.body_limit, endpoint_.status_suffices};
    auto reply = co_await connection->exchange(text, rules, progress);
    if (reply && progress.reusable) keep(std::move(connection));
    co_return reply;
  }

  asio::awaitable<Result<std::unique_ptr<Connection>>> connect() {
    auto socket = co_await dial(server_, endpoint_.connect_timeout, endpoint_.refuse_link_local);
    if (!socket) co_return fail(std::move(socket.error()));
    if (!tls_) co_return std::make_unique<Connection>(std::move(*socket));
    auto session = tls_->new_session(server_);
    if (!session) co_return fail(std::move(session.error()));
    auto connection = std::make_unique<Connection>(std::move(*socket), *session);
    auto shaking = shake_hands(*connection, server_);
    auto shaken = co_await async::with_deadline(std::move(shaking), endpoint_.handshake_timeout, "the TLS handshake");
    if (shaken) co_return connection;
    if (shaken.error().code == ErrorCode::timeout) shaken.error().code = ErrorCode::unavailable;
    co_return fail(std::move(shaken.error()));
  }

  // The one used last is the likeliest to be alive.
  std::unique_ptr<Connection> take_idle() {
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      const bool fresh = system_clock().steady() - connection->idle_since < endpoint_.idle_time;
      if (fresh && connection->at_rest()) return connection;
    }
    return nullptr;
  }

  void keep(std::unique_ptr<Connection> connection) {
    connection->idle_since = system_clock().steady();
    idle_.push_back(std::move(connection));
    if (idle_.size() > endpoint_.max_idle) idle_.pop_front();
  }

  Endpoint endpoint_;
  BaseUrl server_;
  std::optional<TlsContext> tls_;
  std::deque<std::unique_ptr<Connection>> idle_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_beast_transport(Endpoint endpoint) {
  auto server = parse_base_url(endpoint.url);
  if (!server) return fail(std::move(server.error()));
  std::optional<TlsContext> tls;
  if (server->tls) {
    auto loaded = TlsContext::load(endpoint.tls);
    if (!loaded) return fail(std::move(loaded.error()));
    tls = std::move(*loaded);
  }
  return std::make_unique<BeastTransport>(std::move(endpoint), std::move(*server), std::move(tls));
}

}  // namespace graft::http
