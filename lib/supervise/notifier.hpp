// Notifier: tells the service manager how we are, by the protocol of sd_notify(3). Without a manager it does nothing.
//
// The address is taken out of the environment once, so that no child can speak for us. libsystemd's sd_notify() reads
// it from the environment at each call, and setting it there again would race with every getenv() of another thread
// (the resolver has some); so the datagrams are sent here, and a test holds them to what sd_notify() sends.
//
// Threads: make it before there is a second thread; everything else may be called from any thread. A message is one
// datagram: two of them never mix. A manager that does not read holds the caller for at most a second. Nothing is
// reported to the caller: there is nothing that he could do about it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace graft::supervise {

class Notifier {
 public:
  // Takes NOTIFY_SOCKET out of the environment.
  [[nodiscard]] static Notifier from_environment();

  // "/path/of/socket" or "@abstract"; anything else, and an address too long for a socket: nothing is ever sent.
  explicit Notifier(std::string_view address);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  [[nodiscard]] bool active() const { return socket_ >= 0; }

  void ready() const;                        // at the start, and at the end of each reload
  void reloading() const;                    // RELOADING=1 and MONOTONIC_USEC= together, as Type=notify-reload asks
  void stopping() const;                     // once
  void watchdog() const;                     // WATCHDOG=1
  void status(std::string_view text) const;  // one line; control characters replaced, at most 200 bytes
  void extend_timeout(std::chrono::microseconds by) const;  // the start or stop may take this long from now on

 private:
  void send(std::string_view message) const;

  std::string address_;  // as sockaddr_un wants it: an abstract one begins with a zero byte
  int socket_ = -1;
};

// How often the manager wants to hear from us, by WATCHDOG_USEC; nullopt when it does not (or WATCHDOG_PID is another
// process).
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace graft::supervise
