#include "unit/http/raw_server.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace graft::test {

RawConnection::RawConnection(int descriptor, ssl_st* session, int number)
    : descriptor_(descriptor), session_(session), number_(number) {}

RawConnection::~RawConnection() { SSL_free(session_); }

long RawConnection::receive(char* into, std::size_t size) {
  if (session_ != nullptr) return SSL_read(session_, into, static_cast<int>(size));
  return ::recv(descriptor_, into, size, 0);
}

std::string RawConnection::read_request() {
  std::size_t whole = std::string::npos;
  for (;;) {
    const std::size_t head = pending_.find("\r\n\r\n");
    if (head != std::string::npos) {
      const std::size_t at = pending_.find("Content-Length: ");
      whole = head + 4 + (at < head ? std::stoul(pending_.substr(at + 16)) : 0);
    }
    if (whole <= pending_.size()) break;
    std::array<char, 65536> block{};
    const long size = receive(block.data(), block.size());
    if (size <= 0) return "";
    pending_.append(block.data(), static_cast<std::size_t>(size));
  }
  std::string request = pending_.substr(0, whole);
  pending_.erase(0, whole);
  return request;
}

void RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long size = session_ != nullptr ? SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()))
                                          : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool RawConnection::closed_by_client() {
  char byte = 0;
  return receive(&byte, 1) <= 0;
}

void RawConnection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

RawServer::RawServer(Script script, ssl_ctx_st* tls)
    : script_(std::move(script)), tls_(tls), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no port for the test's server");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (std::thread& worker : workers_) worker.join();
  ::close(listener_);
}

std::string RawServer::url(const std::string& host) const {
  return fmt::format("{}://{}:{}", tls_ != nullptr ? "https" : "http", host, port_);
}

void RawServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int number = ++connections_;
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(descriptor);
    }
    workers_.emplace_back([this, descriptor, number] { serve(descriptor, number); });
  }
}

void RawServer::serve(int descriptor, int number) {
  SSL* session = nullptr;
  bool ready = true;
  if (tls_ != nullptr) {
    session = SSL_new(tls_);
    SSL_set_fd(session, descriptor);
    ready = SSL_accept(session) == 1;
  }
  {
    RawConnection connection(descriptor, session, number);
    if (ready) script_(connection);
  }
  const std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), descriptor));
  ::close(descriptor);
}

std::string reply(std::string_view body, std::string_view status, std::string_view more_headers) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), more_headers, body);
}

}  // namespace graft::test
