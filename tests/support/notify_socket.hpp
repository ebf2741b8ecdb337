// A stand-in for the service manager: the socket that NOTIFY_SOCKET names, and what came over it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace graft::test_support {

class NotifySocket {
 public:
  // "/path/of/socket" or "@abstract". Throws std::runtime_error when it cannot be bound.
  explicit NotifySocket(std::string address);
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket();

  [[nodiscard]] const std::string& address() const { return address_; }  // for NOTIFY_SOCKET

  // The next message, or nullopt when none comes in time.
  std::optional<std::string> next(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Everything that lies there now.
  std::vector<std::string> rest();
  // Takes messages until one begins with `start` (or the time is over); returns them, that one last.
  std::vector<std::string> until(const std::string& start, std::chrono::milliseconds limit = std::chrono::seconds(20));

  // The process that sent the last message, as the kernel saw it: NotifyAccess=main asks for the main process.
  [[nodiscard]] pid_t sender() const { return sender_; }

 private:
  std::string address_;
  int socket_ = -1;
  pid_t sender_ = 0;
};

}  // namespace graft::test_support
