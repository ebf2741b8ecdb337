#include "unit/admin/endpoint.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace graft::test {

namespace asio = boost::asio;
using admin::Request;
using admin::Response;

void RecordingLog::write(LogLevel, std::string_view message, const std::vector<LogField>& fields) {
  std::string line(message);
  for (const auto& [name, value] : fields) line += fmt::format(" {}={}", name, value);
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

std::string RecordingLog::text() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}", fmt::join(lines_, "\n"));
}

std::size_t RecordingLog::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

Endpoint::Endpoint(admin::ServerSettings settings) {
  if (settings.listen.empty()) settings.listen = "127.0.0.1:0";
  if (settings.token_file.empty()) {
    files.write("token", "t0ken\n");
    settings.token_file = files / "token";
  } else if (settings.token_file == "none") {
    settings.token_file.clear();
  }
  auto counted = [this](std::string_view route, int status) {
    const std::lock_guard lock(mutex_);
    counted_ += fmt::format("{} {}\n", route, status);
  };
  auto made = admin::Server::make(io_, settings, routes(), events, counted, log);
  if (!made) throw std::runtime_error(made.error().describe());
  server_ = std::move(*made);
  thread_ = std::thread([this] { io_.run(); });
}

void Endpoint::stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { server_->stop(); });
  thread_.join();
}

std::string Endpoint::counted() const {
  const std::lock_guard lock(mutex_);
  return counted_;
}

double Endpoint::cpu_seconds() {
  clockid_t clock{};
  timespec time{};
  ::pthread_getcpuclockid(thread_.native_handle(), &clock);
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::vector<admin::Route> Endpoint::routes() {
  using Answer = std::function<Response(const Request&)>;
  std::vector<admin::Route> out;
  const auto add = [&](std::string_view method, std::string_view path, Answer answer) {
    auto handle = [this, answer = std::move(answer)](const Request& request) -> asio::awaitable<Response> {
      ++calls;
      co_return answer(request);
    };
    out.push_back({method, path, "", method == "POST", std::move(handle)});
  };
  add("GET", "/-/healthy", [](const Request&) { return admin::text_response(200, "ok\n"); });
  add("GET", "/doc", [](const Request& request) {
    std::string text;
    for (const auto& [name, value] : request.query) text += name + "=" + value + ";";
    Response response = admin::json_response(200, text);
    response.etag = "\"v1\"";
    return response;
  });
  add("GET", "/page", [](const Request&) {
    return admin::text_response(200, "<html><style>a{}</style><script>b()</script></html>", "text/html; charset=utf-8");
  });
  add("GET", "/big", [](const Request&) {
    static const auto big = std::make_shared<const std::string>(std::size_t{64} << 20U, 'x');
    Response response = admin::text_response(200, "");
    response.body = big;
    return response;
  });
  add("GET", "/events", [](const Request&) {
    Response response;
    response.events = true;
    return response;
  });
  add("GET", "/trusted",
      [](const Request& request) { return admin::text_response(200, request.trusted ? "yes" : "no"); });
  add("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("secret detail"); });
  add("GET", "/throw-int", [](const Request&) -> Response { throw 7; });
  add("GET", "/inject", [](const Request&) {
    Response response = admin::text_response(200, "");
    response.headers["X-Split"] = "a\r\nSet-Cookie: b";
    return response;
  });
  add("POST", "/change", [this](const Request& request) {
    ++changes;
    return admin::json_response(200, std::to_string(request.body.size()));
  });
  auto wait = [this](const Request&) -> asio::awaitable<Response> {
    ++calls;
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return admin::text_response(200, "");
  };
  out.push_back({"GET", "/wait", "", false, wait});
  return out;
}

std::string RawReply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

namespace {

int connect_to(const sockaddr* address, socklen_t size, bool& connected) {
  const int descriptor = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw std::runtime_error("no socket for the test's client");
  const timeval limit{20, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  connected = ::connect(descriptor, address, size) == 0;
  return descriptor;
}

}  // namespace

RawClient::RawClient(int port, ssl_ctx_st* tls) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  descriptor_ = connect_to(reinterpret_cast<sockaddr*>(&address), sizeof address, connected_);
  if (tls == nullptr) return;
  session_ = SSL_new(tls);
  SSL_set_fd(session_, descriptor_);
  connected_ = SSL_connect(session_) == 1;
}

RawClient::RawClient(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), std::min(socket_path.size(), sizeof address.sun_path - 1));
  descriptor_ = connect_to(reinterpret_cast<sockaddr*>(&address), sizeof address, connected_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      connected_(other.connected_),
      session_(std::exchange(other.session_, nullptr)),
      pending_(std::move(other.pending_)) {}

RawClient::~RawClient() {
  SSL_free(session_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long size = session_ != nullptr ? SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()))
                                          : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void RawClient::finish() { ::shutdown(descriptor_, SHUT_WR); }

std::string RawClient::peer_name() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session_), X509_free);
  std::array<char, 100> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(), name.size());
  return name.data();
}

bool RawClient::receive() {
  std::array<char, 65536> block{};
  const long size = session_ != nullptr ? SSL_read(session_, block.data(), static_cast<int>(block.size()))
                                        : ::recv(descriptor_, block.data(), block.size(), 0);
  if (size > 0) pending_.append(block.data(), static_cast<std::size_t>(size));
  return size > 0;
}

std::string RawClient::read_until(const std::string& text) {
  std::size_t at = pending_.find(text);
  while (at == std::string::npos && receive()) at = pending_.find(text);
  const std::string out = pending_.substr(0, at == std::string::npos ? at : at + text.size());
  pending_.erase(0, out.size());
  return out;
}

bool RawClient::ended() {
  errno = 0;
  while (receive()) pending_.clear();
  return errno != EAGAIN;
}

RawReply RawClient::reply(bool head_only) {
  RawReply out;
  out.head = read_until("\r\n\r\n");
  if (!out.head.starts_with("HTTP/1.1 ") || !out.head.ends_with("\r\n\r\n")) return out;
  out.status = std::stoi(out.head.substr(9, 3));
  for (std::size_t at = out.head.find("\r\n") + 2; at + 2 < out.head.size(); at = out.head.find("\r\n", at) + 2) {
    const std::size_t colon = out.head.find(": ", at), end = out.head.find("\r\n", at);
    std::string name = out.head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers[name] = out.head.substr(colon + 2, end - colon - 2);
  }
  const std::string length = out.header("content-length");
  if (head_only || length.empty()) return out;
  const std::size_t size = std::stoul(length);
  while (pending_.size() < size && receive()) {
  }
  out.body = pending_.substr(0, size);
  pending_.erase(0, out.body.size());
  return out;
}

std::string get(std::string_view target, std::string_view more) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more);
}

std::string post(std::string_view target, std::string_view more, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", target, body.size(), more,
                     body);
}

RawReply ask(int port, std::string_view bytes, bool head_only) {
  RawClient client(port);
  client.send(bytes);
  return client.reply(head_only);
}

}  // namespace graft::test
