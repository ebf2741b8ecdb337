#include "admin/listen.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/server.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

constexpr int backlog = 1024;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool loopback = false;
  [[nodiscard]] sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<Address> address_4(const std::string& host, std::uint16_t port) {
  Address out;
  auto& address = reinterpret_cast<sockaddr_in&>(out.storage);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  out.size = sizeof address;
  out.loopback = (ntohl(address.sin_addr.s_addr) >> 24U) == 127U;
  return out;
}

std::optional<Address> address_6(const std::string& host, std::uint16_t port) {
  Address out;
  auto& address = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  out.size = sizeof address;
  in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
  out.loopback = std::memcmp(&address.sin6_addr, &loopback, sizeof loopback) == 0;
  return out;
}

Result<Address> parse_listen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  std::uint16_t port = 0;
  const char* const end = listen.data() + listen.size();
  const bool has_port = colon != std::string::npos &&
                        std::from_chars(listen.data() + colon + 1, end, port) == std::from_chars_result{end, {}};
  std::optional<Address> address;
  if (has_port && host.starts_with('[') && host.ends_with(']'))
    address = address_6(host.substr(1, host.size() - 2), port);
  if (has_port && !address) address = address_4(host == "localhost" ? "127.0.0.1" : host, port);
  if (address) return std::move(*address);
  return fail(Error(ErrorCode::invalid, fmt::format("admin: {} is no address to listen on", quote(listen)))
                  .with_hint("write 127.0.0.1:9417 or [::1]:9417"));
}

Status check_reach(const ServerSettings& settings, const Address& address) {
  const bool guarded = !settings.token_file.empty() && !settings.cert_file.empty();
  if (address.loopback || guarded || settings.allow_remote) return {};
  return fail(Error(ErrorCode::invalid, fmt::format("admin: {} can be reached from other machines", settings.listen))
                  .with_hint("listen on 127.0.0.1, or set a token file and TLS, or allow it by http.allowRemote"));
}

Descriptor new_socket(int family) {
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Error cannot_listen(const std::string& where, int error_number) {
  Error error(ErrorCode::io, fmt::format("admin: cannot listen on {}: {}", where, std::strerror(error_number)));
  if (error_number == EADDRINUSE) return std::move(error).with_hint("does another graftd run here?");
  return error;
}

Result<sockaddr_un> local_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos)
    return fail(ErrorCode::invalid, fmt::format("admin: {} is too long for the path of a socket (at most {} bytes)",
                                                quote(path), sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Removes what a server that has died left behind; a live server, or anything that is no socket, is left alone.
Status remove_stale(const std::string& path, sockaddr_un& address) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return fail(io_error("look at", path, errno));
  }
  if (!S_ISSOCK(info.st_mode))
    return fail(ErrorCode::io, fmt::format("admin: {} is there and no socket; it is left alone", quote(path)));
  const Descriptor probe = new_socket(AF_UNIX);
  if (!probe.open()) return fail(io_error("open a socket for", path, errno));
  const bool connected = ::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (connected || errno != ECONNREFUSED)
    return fail(cannot_listen(path, connected || errno == EAGAIN ? EADDRINUSE : errno));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(io_error("remove", path, errno));
  return {};
}

}  // namespace

Result<Listening> listen_tcp(const ServerSettings& settings) {
  auto address = parse_listen(settings.listen);
  if (!address) return fail(std::move(address.error()));
  if (auto status = check_reach(settings, *address); !status) return fail(std::move(status.error()));
  Listening out;
  out.family = address->storage.ss_family;
  out.descriptor = new_socket(out.family);
  const int on = 1;
  ::setsockopt(out.descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (out.family == AF_INET6) ::setsockopt(out.descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  socklen_t size = sizeof address->storage;
  if (!out.descriptor.open() || ::bind(out.descriptor.get(), address->generic(), address->size) != 0 ||
      ::listen(out.descriptor.get(), backlog) != 0 ||
      ::getsockname(out.descriptor.get(), address->generic(), &size) != 0)
    return fail(cannot_listen(settings.listen, errno));
  // The port lies at the same place in both families' addresses.
  out.port = ntohs(reinterpret_cast<const sockaddr_in&>(address->storage).sin_port);
  return out;
}

Result<SocketFile> SocketFile::make(const std::string& path, Listening& listening) {
  auto address = local_address(path);
  if (!address) return fail(std::move(address.error()));
  if (auto status = remove_stale(path, *address); !status) return fail(std::move(status.error()));
  listening.family = AF_UNIX;
  listening.descriptor = new_socket(AF_UNIX);
  if (!listening.descriptor.open()) return fail(cannot_listen(path, errno));
  // The mode comes from the umask at bind(): a chmod afterwards would leave a moment for others.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(listening.descriptor.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address);
  const int error_number = errno;
  ::umask(before);
  if (bound != 0) return fail(cannot_listen(path, error_number));
  SocketFile out;
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) {
    out.path_ = path;
    out.device_ = info.st_dev;
    out.inode_ = info.st_ino;
  }
  if (::listen(listening.descriptor.get(), backlog) != 0) return fail(cannot_listen(path, errno));
  return out;
}

void SocketFile::remove() {
  struct stat info{};
  const bool ours =
      !path_.empty() && ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

void SocketFile::swap(SocketFile& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
}

}  // namespace graft::admin
