// How Vault is reached: who we are to it. One for all sinks of one server, so that they share one login.
//
// Facts of Vault, none of them seen on a running one:
// - headers X-Vault-Token, X-Vault-Namespace, X-Vault-Request: developer.hashicorp.com/vault/api-docs
// - login by a Kubernetes service account: POST /v1/auth/<mount>/login with role and jwt, answered by
//   auth.client_token and auth.lease_duration in seconds: developer.hashicorp.com/vault/api-docs/auth/kubernetes
// - a token that is expired or revoked is answered by 403, as is one without the policy: hashicorp/vault issues, and
//   logical.ErrPermissionDenied in sdk/logical
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "async/semaphore.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/transport.hpp"

namespace graft::sink {

namespace asio = boost::asio;

struct VaultLogin {
  std::string mount = "kubernetes";  // of the auth method
  std::string role;
  std::string jwt_file;  // read anew at each login
};

// Used from the one thread of the io_context, by many sinks at a time. Transport and clock outlive it.
class VaultAccess {
 public:
  // With a token from a file, read anew for each request (Vault Agent renews it there).
  VaultAccess(http::Transport& transport, Clock& clock, std::string vault_namespace, std::string token_file);
  // By logging in. The token is kept in memory and replaced by a new login when two thirds of its lease are over, and
  // after a 403 (at most once a minute: a policy that is missing is not mended by logging in).
  VaultAccess(http::Transport& transport, Clock& clock, std::string vault_namespace, VaultLogin login);

  // One request with all its headers; `body` is JSON or empty. A request that was answered by 403 was not carried out
  // and is sent once more after a new login.
  // Errors: those of the transport; io or invalid for a file; unauthenticated when the login is refused.
  [[nodiscard]] asio::awaitable<Result<http::Response>> send(std::string method, std::string target, Secret body,
                                                             bool idempotent);

 private:
  asio::awaitable<Result<http::Response>> once(const std::string& method, const std::string& target, const Secret& body,
                                               bool idempotent, std::uint64_t& epoch);
  asio::awaitable<Result<Secret>> token(std::uint64_t& epoch);
  asio::awaitable<Status> log_in();
  Status keep_token(const http::Response& answer);
  [[nodiscard]] bool has_fresh_token() const;
  [[nodiscard]] bool may_try_again(std::uint64_t used);
  http::Request make_request(const std::string& method, const std::string& target, const Secret& body) const;

  http::Transport& transport_;
  Clock& clock_;
  std::string namespace_, token_file_;
  std::optional<VaultLogin> login_;
  async::Semaphore logins_{1};
  Secret token_;
  std::uint64_t epoch_ = 0;              // counts logins
  std::optional<SteadyTime> renew_at_;   // none: the token has no end
  std::optional<SteadyTime> forced_at_;  // of the last login that a 403 made us do
};

// The words of an answer's `errors`; of anything else its text.
[[nodiscard]] std::string vault_errors(const http::Response& answer);

}  // namespace graft::sink
