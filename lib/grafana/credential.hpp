// A credential: user name and password, or a service-account key; and the gate that every login passes.
//
// This is the seam for other ways to log in (a session cookie): whoever calls Grafana asks the gate for the header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/login_record.hpp"

namespace graft::grafana {

struct Credential {
  std::string username;  // empty: `secret` is a service-account key
  Secret secret;

  [[nodiscard]] bool is_key() const { return username.empty(); }
  // The value of the Authorization header. Wipe it after use (http::Request does).
  [[nodiscard]] std::string authorization() const;
  // Names the credential without telling it: HMAC of user name and secret by the store's salt.
  [[nodiscard]] std::string fingerprint(const std::string& salt) const;
};

// Where login records are kept across restarts; the daemon puts the state store behind it.
class LoginMemory {
 public:
  virtual ~LoginMemory() = default;
  [[nodiscard]] virtual LoginRecord load(const std::string& fingerprint) = 0;
  virtual void save(const std::string& fingerprint, const LoginRecord& record) = 0;
  [[nodiscard]] virtual std::string salt() = 0;
};

// Lets logins through, or not (breaker.hpp). One thread. A service-account key passes always: Grafana does not lock
// keys.
class LoginGate {
 public:
  LoginGate(LoginMemory& memory, Clock& clock, Random& random, Log& log);

  // Takes a credential into use. The same one again changes nothing; another one starts with its own record.
  void use(Credential credential);
  [[nodiscard]] bool has_credential() const { return credential_.has_value(); }
  [[nodiscard]] const Credential& credential() const { return *credential_; }

  // What a request may carry. `epoch` comes back with its outcome: only a request that was sent after the last refusal
  // tells anything about the credential.
  struct Pass {
    std::string authorization;
    std::uint64_t epoch = 0;
  };
  // ErrorCode::blocked with the time of the next try, or the header's value. Until a probe has succeeded in this
  // process, `probe` must be true: only one request at a time tries a credential that is not known to work.
  [[nodiscard]] Result<Pass> pass(bool probe);
  void refused();                        // a 401 that speaks of the login, whenever its request was sent
  void proven(std::uint64_t epoch);      // the probe was answered with who we are: nothing less proves a login
  void unanswered(std::uint64_t epoch);  // a probe that reached somebody got no answer; Grafana may have counted it

  [[nodiscard]] std::optional<WallTime> blocked_until() const { return blocked_until_; }

 private:
  void evaluate();
  void remember();  // what another graftd (a plan beside the daemon) has learned counts too

  LoginMemory& memory_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  std::optional<Credential> credential_;
  std::string fingerprint_;
  LoginRecord record_;
  std::optional<WallTime> blocked_until_;
  static constexpr std::size_t unanswered_limit = 3;
  std::vector<WallTime> unanswered_;  // probes of late, of a credential that has never worked
  std::uint64_t epoch_ = 0;           // moves with every credential and every refusal
  bool proven_ = false;               // has worked in this process and was not refused since
};

}  // namespace graft::grafana
