// The Grafana simulator as tests use it: a server on loopback, in its own thread, that answers as Grafana 12.4 does for
// every route of its table (routes.hpp) and can be told to misbehave. What a Grafana is, lives in the other files here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft::simulator {

struct Options {
  std::string host = "127.0.0.1";
  unsigned short port = 0;  // 0: any free one
  std::string admin_user = "admin";
  std::string admin_password = "admin";
  std::map<std::string, std::string> settings;  // GF_SECTION_KEY: value; which are understood: settings.hpp
  bool apis = true;                             // false: /apis answers 404 as Grafana did before version 12
  bool frozen_clock = false;                    // true: time passes by advance() only
};

// One request as it was answered. A request that was refused by a fault is recorded too, with status 0.
struct RequestRecord {
  std::uint64_t number = 0;
  std::string method;
  std::string path;        // the target as it was sent, with the query
  std::string route;       // the pattern of the table, "/api/orgs/:orgId"; empty when there is none
  std::string user;        // login, "key" for a service-account key, "" for nobody
  std::string org_header;  // X-Grafana-Org-Id as it was sent
  std::string body;
  int status = 0;
  std::uint64_t connection = 0;  // requests on one connection share this number

  // Whether the request may have changed something, by its method.
  bool write() const;
};

// What should go wrong, once or several times. A request matches when number, method and route all do.
struct Fault {
  enum class Kind {
    refuse,      // the connection is closed, the request is not carried out
    drop_reply,  // carried out, the connection is closed without a reply
    delay,       // carried out, the reply is sent after `delay`
    status,      // not carried out, answered by status, headers and body of this fault
    truncate,    // carried out, the connection is closed after `bytes` bytes of the reply, its head included
    reply_raw,   // carried out, answered by status, headers and body of this fault
  };

  Kind kind = Kind::refuse;
  std::optional<std::uint64_t> number;  // the Nth request, from 1, since add_fault() or a later clear_requests()
  std::string method;                   // empty: any
  std::string route;                    // the pattern of the table; empty: any
  int times = 1;
  std::chrono::milliseconds delay{0};
  int status = 503;
  std::string content_type = "application/json";
  std::string body;
  std::size_t bytes = 0;
  std::map<std::string, std::string> headers;
};

class Simulator {
 public:
  explicit Simulator(Options options = {});
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  std::string url() const;

  // Moves the simulator's clock, which runs along with the real one unless it is frozen.
  void advance(std::chrono::seconds by);

  void add_fault(Fault fault);  // throws std::invalid_argument for a route that is not in the table
  void clear_faults();

  std::vector<RequestRecord> requests() const;
  void clear_requests();  // numbering starts at 1 again
  std::size_t write_count() const;

  // As Grafana's leak scanner does: the token is listed as revoked, its key refused. false: there is no such token.
  bool revoke_token(std::int64_t id);
  // Every key that was ever given, for tests that look for them where they must not be.
  std::vector<std::string> issued_keys() const;

  // Called after a request was carried out and before its reply is sent, on the simulator's thread.
  void on_request(std::function<void(const RequestRecord&)> callback);

  // How many requests were answered 401 because of the login or password they carried.
  std::size_t failed_logins() const;

  // Grafana goes down and comes back on the same port, with everything it had stored.
  void stop_listening();
  void start_listening();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The pattern of the table that serves this request, or nothing: then the answer is 501.
std::optional<std::string> route_of(std::string_view method, std::string_view target);

// Whether a request beyond the table is known to be unknown to Grafana, too: then the answer is Grafana's own 404.
bool has_rule_for(std::string_view method, std::string_view target);

}  // namespace graft::simulator
