#include "grafana/credential.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/hash.hpp"
#include "grafana/breaker.hpp"

namespace graft::grafana {

std::string Credential::authorization() const {
  if (is_key()) return fmt::format("Bearer {}", secret.reveal());
  std::string pair = fmt::format("{}:{}", username, secret.reveal());
  std::string header = "Basic " + base64(pair);
  wipe(pair);
  return header;
}

std::string Credential::fingerprint(const std::string& salt) const {
  std::string pair = fmt::format("{}\n{}", username, secret.reveal());
  std::string print = hmac_sha256_hex(salt, pair).substr(0, 32);
  wipe(pair);
  return print;
}

LoginGate::LoginGate(LoginMemory& memory, Clock& clock, Random& random, Log& log)
    : memory_(memory), clock_(clock), random_(random), log_(log) {}

void LoginGate::use(Credential credential) {
  std::string fingerprint = credential.fingerprint(memory_.salt());
  if (credential_ && fingerprint == fingerprint_) return;
  fingerprint_ = std::move(fingerprint);
  credential_ = std::move(credential);
  record_ = credential_->is_key() ? LoginRecord{} : memory_.load(fingerprint_);
  proven_ = false;
  ++epoch_;
  evaluate();
}

void LoginGate::evaluate() { blocked_until_ = login_blocked_until(record_, clock_.wall(), random_.unit()); }

void LoginGate::remember() {
  const LoginRecord stored = memory_.load(fingerprint_);
  for (const WallTime refusal : stored.refusals)
    if (std::ranges::find(record_.refusals, refusal) == record_.refusals.end()) record_.refusals.push_back(refusal);
  std::ranges::sort(record_.refusals);
  record_.last_success = std::max(record_.last_success, stored.last_success);
}

Result<LoginGate::Pass> LoginGate::pass(bool probe) {
  if (!credential_) return fail(ErrorCode::internal, "no credential in use");
  if (credential_->is_key()) return Pass{credential_->authorization(), epoch_};
  if (probe) {
    const std::size_t known = record_.refusals.size();
    remember();
    if (record_.refusals.size() != known) evaluate();
  }
  if (blocked_until_ && clock_.wall() < *blocked_until_) {
    return fail(Error(ErrorCode::blocked, fmt::format("login of \"{}\" was refused; no further try before {}",
                                                      credential_->username, format_rfc3339(*blocked_until_)))
                    .with_hint("correct the password file or grafana.auth.username: a changed credential is tried at "
                               "once; trying on would lock the user out of Grafana"));
  }
  if (!proven_ && !probe)
    return fail(ErrorCode::blocked, fmt::format("the login of \"{}\" is not proven to work", credential_->username));
  return Pass{credential_->authorization(), epoch_};
}

void LoginGate::refused() {
  if (!credential_ || credential_->is_key()) return;
  ++epoch_;
  proven_ = false;
  record_ = after_refusal(std::move(record_), clock_.wall());
  memory_.save(fingerprint_, record_);
  evaluate();
  log_.error("login refused; logins stopped",
             {{"user", credential_->username}, {"next_try", format_rfc3339(blocked_until_.value_or(clock_.wall()))}});
}

void LoginGate::proven(std::uint64_t epoch) {
  if (epoch != epoch_ || proven_ || !credential_ || credential_->is_key()) return;
  proven_ = true;
  blocked_until_.reset();
  record_ = after_success(std::move(record_), clock_.wall());
  memory_.save(fingerprint_, record_);
}

// A password that has never worked may be a wrong one, and a proxy that loses the answers would hide five refusals from
// us.
// One lost answer is an accident; several within Grafana's window are taken for refusals.
void LoginGate::unanswered(std::uint64_t epoch) {
  if (epoch != epoch_ || proven_ || record_.last_success) return;
  const WallTime now = clock_.wall();
  std::erase_if(unanswered_, [&](WallTime time) { return now - time >= grafana_lockout_window; });
  unanswered_.push_back(now);
  if (unanswered_.size() < unanswered_limit) return;
  unanswered_.clear();
  refused();
}

}  // namespace graft::grafana
