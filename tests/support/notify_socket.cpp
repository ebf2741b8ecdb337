#include "support/notify_socket.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace graft::test_support {

NotifySocket::NotifySocket(std::string address) : address_(std::move(address)) {
  sockaddr_un here{};
  here.sun_family = AF_UNIX;
  if (address_.empty() || address_.size() >= sizeof(here.sun_path)) throw std::runtime_error("address of a socket");
  std::copy(address_.begin(), address_.end(), std::begin(here.sun_path));
  if (address_.front() == '@') here.sun_path[0] = '\0';
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  (void)::setsockopt(socket_, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&here), length) != 0)
    throw std::runtime_error("cannot bind " + address_ + ": " + std::strerror(errno));
}

NotifySocket::~NotifySocket() {
  ::close(socket_);
  if (address_.front() == '/') ::unlink(address_.c_str());
}

std::optional<std::string> NotifySocket::next(std::chrono::milliseconds limit) {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(limit.count())) != 1) return std::nullopt;
  std::array<char, 4096> data{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  iovec into{data.data(), data.size()};
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(socket_, &message, 0);
  if (length < 0) return std::nullopt;
  if (const cmsghdr* first = CMSG_FIRSTHDR(&message); first != nullptr && first->cmsg_type == SCM_CREDENTIALS) {
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(first), sizeof(credentials));
    sender_ = credentials.pid;
  }
  return std::string(data.data(), static_cast<std::size_t>(length));
}

std::vector<std::string> NotifySocket::rest() {
  std::vector<std::string> all;
  while (auto message = next(std::chrono::milliseconds(0))) all.push_back(std::move(*message));
  return all;
}

std::vector<std::string> NotifySocket::until(const std::string& start, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::vector<std::string> all;
  while (all.empty() || !all.back().starts_with(start)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    auto message = next(std::max(left, std::chrono::milliseconds(0)));
    if (!message) break;
    all.push_back(std::move(*message));
  }
  return all;
}

}  // namespace graft::test_support
