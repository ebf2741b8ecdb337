// Where the server listens: addresses and their rules, the Unix socket in the file system, TLS files. By the operating
// system and OpenSSL alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

#include "base/directory.hpp"
#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace graft::admin {

struct ServerSettings;  // server.hpp

struct Listening {
  Descriptor descriptor;  // listens already, does not block
  int family = 0;         // AF_INET, AF_INET6, AF_UNIX
  std::uint16_t port = 0;
};

// "127.0.0.1:9417", "[::1]:0", "localhost:9417". Errors: invalid; io (in use, not ours).
[[nodiscard]] Result<Listening> listen_tcp(const ServerSettings& settings);

// The Unix socket: 0600, in place of one that nobody listens on; a live one is an error (io). Removed when destroyed,
// unless another has been put in its place.
class SocketFile {
 public:
  [[nodiscard]] static Result<SocketFile> make(const std::string& path, Listening& listening);
  SocketFile() = default;
  SocketFile(SocketFile&& other) noexcept { swap(other); }
  SocketFile& operator=(SocketFile&& other) noexcept {
    swap(other);
    return *this;
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { remove(); }

  void remove();

 private:
  void swap(SocketFile& other) noexcept;
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Certificate and key of the TCP side. Files that have changed are read again for the next connection; while they
// cannot be read, what was read last stays in force.
class ServerTls {
 public:
  [[nodiscard]] static Result<ServerTls> load(std::string cert_file, std::string key_file);
  [[nodiscard]] ssl_st* new_session();  // the caller owns it; nullptr: no memory

 private:
  ServerTls(std::string cert_file, std::string key_file, std::string stamp, std::shared_ptr<ssl_ctx_st> context);
  std::string cert_file_, key_file_, stamp_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace graft::admin
