#include "supervise/notifier.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/text.hpp"

namespace graft::supervise {

namespace {

constexpr std::size_t status_limit = 200;
constexpr timeval send_limit{1, 0};

std::string usable(std::string_view address) {
  const bool form = address.size() > 1 && (address.front() == '/' || address.front() == '@');
  if (!form || address.size() >= sizeof(sockaddr_un::sun_path)) return {};
  std::string out(address);
  if (out.front() == '@') out.front() = '\0';
  return out;
}

int open_socket() {
  const int made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made >= 0) (void)::setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof(send_limit));
  return made;
}

// The manager compares it with its own CLOCK_MONOTONIC, so it is not ours to inject.
long long monotonic_microseconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

Notifier Notifier::from_environment() {
  const char* value = std::getenv("NOTIFY_SOCKET");
  const std::string address = value == nullptr ? "" : value;
  (void)::unsetenv("NOTIFY_SOCKET");
  return Notifier(address);
}

Notifier::Notifier(std::string_view address) : address_(usable(address)) {
  if (!address_.empty()) socket_ = open_socket();
}

Notifier::~Notifier() {
  if (socket_ >= 0) ::close(socket_);
}

// The address is looked up at each message, since a manager that was started anew has another socket behind it.
void Notifier::send(std::string_view message) const {
  if (!active()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), std::begin(to.sun_path));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  (void)::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
}

void Notifier::ready() const { send("READY=1"); }
void Notifier::stopping() const { send("STOPPING=1"); }
void Notifier::watchdog() const { send("WATCHDOG=1"); }
void Notifier::reloading() const { send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds())); }
void Notifier::status(std::string_view text) const { send("STATUS=" + printable(text, status_limit)); }
void Notifier::extend_timeout(std::chrono::microseconds by) const {
  send(fmt::format("EXTEND_TIMEOUT_USEC={}", by.count()));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t interval = 0;
  if (::sd_watchdog_enabled(0, &interval) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval);
}

}  // namespace graft::supervise
