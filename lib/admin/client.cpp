#include "admin/client.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.hpp"
#include "base/directory.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t body_limit = 256 * 1024 * 1024;
constexpr std::size_t line_limit = 4 * 1024 * 1024;

Error cut_short() {
  return Error(ErrorCode::unavailable, "graftd ended the connection before its answer was whole").retry();
}

class Connection {
 public:
  [[nodiscard]] static Result<Connection> open(const std::string& path, std::chrono::milliseconds time);

  void allow(std::chrono::milliseconds time) { until_ = system_clock().steady() + time; }
  [[nodiscard]] Status send(std::string_view bytes);
  [[nodiscard]] Result<bool> receive(std::string& into);  // appends; false at the end

 private:
  [[nodiscard]] Status await(short events);
  Descriptor socket_;
  SteadyTime until_;
};

Error cannot_connect(const std::string& path, int error_number) {
  const std::string text = fmt::format("cannot reach graftd at {}: {}", path, std::strerror(error_number));
  if (error_number == EACCES || error_number == EPERM)
    return Error(ErrorCode::forbidden, text).with_hint("run this as the user that graftd runs as");
  return Error(ErrorCode::unavailable, text).with_hint("does graftd run, and is this its http.socket?").retry();
}

Result<Connection> Connection::open(const std::string& path, std::chrono::milliseconds time) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::invalid, fmt::format("{} cannot be the path of a socket", quote(path)));
  std::memcpy(address.sun_path, path.data(), path.size());
  Connection out;
  out.allow(time);
  out.socket_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out.socket_.open()) return fail(io_error("open a socket for", path, errno));
  // Connecting waits only while the server's queue is full; the time of sending is the time of that.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  const timeval limit{static_cast<time_t>(seconds) + 1, 0};
  ::setsockopt(out.socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(out.socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return fail(cannot_connect(path, errno));
  return out;
}

Status Connection::await(short events) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - system_clock().steady()).count();
    pollfd one{socket_.get(), events, 0};
    const int ready = left <= 0 ? 0 : ::poll(&one, 1, static_cast<int>(std::min<long>(left + 1, 3'600'000)));
    if (ready > 0) return {};
    if (left <= 0) return fail(Error(ErrorCode::timeout, "graftd has not answered in time").retry());
    if (ready < 0 && errno != EINTR) return fail(ErrorCode::io, std::strerror(errno));
  }
}

Status Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (auto status = await(POLLOUT); !status) return status;
    const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    // The server may have answered and closed before it had read all: its answer is worth more than this error.
    if (size < 0) return {};
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

Result<bool> Connection::receive(std::string& into) {
  for (;;) {
    if (auto status = await(POLLIN); !status) return fail(std::move(status.error()));
    std::array<char, 65536> block;
    const ssize_t size = ::recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size < 0) return fail(cut_short());
    into.append(block.data(), static_cast<std::size_t>(size));
    return size > 0;
  }
}

std::string render(const Call& request, std::string_view more_headers) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}", request.method,
                                request.target, more_headers);
  if (request.method == "POST")
    out += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", request.body.size());
  return out + "\r\n" + request.body;
}

// Reads until `enough` of the answer is there; what is left over stays in `bytes`.
template <class Enough>
Status receive_into(Connection& connection, Parser& parser, std::string& bytes, Enough enough) {
  while (!enough()) {
    error_code error;
    if (!bytes.empty()) {
      const std::size_t taken = parser.put(boost::asio::buffer(bytes), error);
      bytes.erase(0, taken);
      if (error && error != http::error::need_more)
        return fail(ErrorCode::protocol, "the answer is no HTTP: " + error.message());
      if (taken > 0) continue;
    }
    auto more = connection.receive(bytes);
    if (!more) return fail(std::move(more.error()));
    if (*more) continue;
    if (!parser.got_some()) return fail(cut_short());
    parser.put_eof(error);
    return error ? Status(fail(cut_short())) : Status();
  }
  return {};
}

Reply to_reply(Parser& parser) {
  auto& message = parser.get();
  const auto type = message[http::field::content_type];
  return Reply{static_cast<int>(message.result_int()), std::string(type.data(), type.size()),
               std::move(message.body())};
}

void expect(Parser& parser) {
  parser.body_limit(body_limit);
  parser.header_limit(64 * 1024);
}

std::string_view value_of(std::string_view line, std::string_view name) {
  line.remove_prefix(name.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

// Takes whole events off the front of `bytes`; false when `take` has had enough.
bool take_events(std::string& bytes, StreamedEvent& event, const std::function<bool(const StreamedEvent&)>& take) {
  for (std::size_t end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n')) {
    const std::string line = bytes.substr(0, end);
    bytes.erase(0, end + 1);
    if (line.starts_with("id:")) {
      const std::string_view id = value_of(line, "id:");
      std::from_chars(id.data(), id.data() + id.size(), event.id);
    } else if (line.starts_with("event:")) {
      event.name = value_of(line, "event:");
    } else if (line.starts_with("data:")) {
      event.data += (event.data.empty() ? "" : "\n") + std::string(value_of(line, "data:"));
    } else if (line.empty() && !event.name.empty()) {
      if (!take(event)) return false;
      event = StreamedEvent{event.id, "", ""};
    }
  }
  return true;
}

}  // namespace

Result<Reply> call(const std::string& socket_path, const Call& request) {
  auto connection = Connection::open(socket_path, request.timeout);
  if (!connection) return fail(std::move(connection.error()));
  if (auto status = connection->send(render(request, "")); !status) return fail(std::move(status.error()));
  std::string bytes;
  Parser parser;
  expect(parser);
  parser.skip(request.method == "HEAD");
  auto status = receive_into(*connection, parser, bytes, [&] { return parser.is_done(); });
  if (!status) return fail(std::move(status.error()));
  return to_reply(parser);
}

Status follow(const std::string& socket_path, const std::string& target,
              const std::function<bool(const StreamedEvent&)>& take, std::optional<std::uint64_t> last_id,
              std::chrono::milliseconds silence) {
  auto connection = Connection::open(socket_path, silence);
  if (!connection) return fail(std::move(connection.error()));
  const Call request{.method = "GET", .target = target, .body = "", .timeout = silence};
  const std::string resume = last_id ? fmt::format("Last-Event-ID: {}\r\n", *last_id) : "";
  if (auto status = connection->send(render(request, resume)); !status) return status;
  std::string bytes;
  Parser parser;
  expect(parser);
  auto status = receive_into(*connection, parser, bytes, [&] { return parser.is_header_done(); });
  if (!status) return status;
  const auto type = parser.get()[http::field::content_type];
  if (parser.get().result_int() != 200 ||
      !std::string_view(type.data(), type.size()).starts_with("text/event-stream")) {
    status = receive_into(*connection, parser, bytes, [&] { return parser.is_done(); });
    if (!status) return status;
    Error error(ErrorCode::rejected, fmt::format("{} gives no events", target));
    error.http_status = static_cast<int>(parser.get().result_int());
    return fail(std::move(error).with_server_text(parser.get().body()));
  }
  StreamedEvent event;
  while (take_events(bytes, event, take)) {
    if (bytes.size() > line_limit) return fail(ErrorCode::protocol, "an event without an end");
    connection->allow(silence);
    auto more = connection->receive(bytes);
    if (!more) return fail(std::move(more.error()));
    if (!*more) return fail(Error(ErrorCode::unavailable, "graftd has ended the stream of events").retry());
  }
  return {};
}

}  // namespace graft::admin
