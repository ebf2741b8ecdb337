// Calls to one Grafana: organization by header, login by the gate, limits on what is in flight, replies checked.
//
// Every request names its organization by X-Grafana-Org-Id; the active organization of the login is never switched
// (grafana-api.md 0.4). One thread (that of the io_context).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "grafana/credential.hpp"
#include "grafana/errors.hpp"
#include "http/transport.hpp"

namespace graft::grafana {

namespace asio = boost::asio;

class RequestObserver;  // request_observer.hpp

// What a request may run beside (speed.md section 2, points 4 and 6; SQLite meets lock errors otherwise).
enum class Access : std::uint8_t {
  read,   // two in flight
  lane,   // creates of organizations, accounts, tokens and folders: one in flight
  write,  // everything else that writes: two to four in flight, adapted
};

class Call {
 public:
  Call(std::string method_name, std::string target_path, std::string doing)
      : method(std::move(method_name)), target(std::move(target_path)), what(std::move(doing)) {}

  std::string method;
  std::string target;  // percent-encoded, below grafana.url
  std::string what;    // for messages: "creating folder apiorg/ops"
  OrgId organization;  // 0: none is named (server-wide calls)
  Access access = Access::read;
  std::string body;             // JSON text
  bool idempotent = true;       // may be repeated when its reply is lost
  bool probe = false;           // the one request that may try a login not known to work
  const Secret* key = nullptr;  // this key instead of the login; lives until the call is done
};

struct Limits {
  std::size_t reads = 2, writes = 4;
  std::size_t total = 2;  // so that a password that dies meanwhile is refused twice at most (T24); keys may have more
  std::chrono::milliseconds timeout{30'000};  // well over the 8 s of a locked database (1.3)
  int read_retries = 2;
  std::chrono::milliseconds retry_pause{250};  // doubled per retry
};

class Api {
 public:
  Api(http::Transport& transport, LoginGate& gate, Clock& clock, Log& log, Limits limits);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Tells it of every request from now on; nullptr: nobody.
  void observe(RequestObserver* observer);

  // Any HTTP answer is a Reply; an Error means that there was none (transport.hpp), or that the gate is shut.
  [[nodiscard]] asio::awaitable<Result<Reply>> send(Call call);
  // A JSON answer with a status of 200 to 299, parsed; everything else is an Error (errors.hpp).
  [[nodiscard]] asio::awaitable<Result<nlohmann::json>> fetch(Call call);

  // Grafana's clock: the newest Date header, moved on by steady time. nullopt before the first answer, or when the last
  // answer had no readable Date.
  [[nodiscard]] std::optional<WallTime> server_time() const;

  [[nodiscard]] std::uint64_t requests() const;  // sent since construction
  [[nodiscard]] LoginGate& gate();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "org-7", "default" for organization 1: the namespace of the Kubernetes-style API (grafana-api.md 8.1 [run]).
[[nodiscard]] std::string namespace_of(OrgId organization);

}  // namespace graft::grafana
