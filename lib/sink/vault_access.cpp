#include "sink/vault_access.hpp"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "sink/remote.hpp"
#include "sink/secret_json.hpp"

namespace graft::sink {

namespace {

using nlohmann::json;

constexpr std::chrono::seconds between_forced_logins{60};

Error unusable_file(Error error, std::string_view setting) {
  error.hint = fmt::format("{} must be a file with one line, readable for graftd's user", setting);
  return std::move(error).context("the credential for Vault");
}

// `/v1/auth/team%20a/kubernetes/login`
std::string login_target(const std::string& mount) {
  std::string target = "/v1/auth";
  for (std::size_t begin = 0; begin <= mount.size();) {
    const std::size_t end = std::min(mount.find('/', begin), mount.size());
    target += "/" + url_encode(std::string_view(mount).substr(begin, end - begin));
    begin = end + 1;
  }
  return target + "/login";
}

Secret login_body(const std::string& role, const Secret& jwt) {
  std::string quoted_jwt = json_quoted(jwt.reveal());
  const std::string quoted_role = json_quoted(role);
  std::string body;
  body.reserve(quoted_jwt.size() + quoted_role.size() + 20);
  body.append(R"({"role":)").append(quoted_role).append(R"(,"jwt":)").append(quoted_jwt).append("}");
  wipe(quoted_jwt);
  return Secret(std::move(body));
}

}  // namespace

std::string vault_errors(const http::Response& answer) {
  const auto document = SecretJson::parse(answer.body);
  if (!document || !(*document)->is_object() || !(*document)->contains("errors")) return answer.body;
  std::string words;
  for (const json& each : (**document)["errors"])
    if (each.is_string()) words += (words.empty() ? "" : "; ") + each.get<std::string>();
  return words;
}

VaultAccess::VaultAccess(http::Transport& transport, Clock& clock, std::string vault_namespace, std::string token_file)
    : transport_(transport),
      clock_(clock),
      namespace_(std::move(vault_namespace)),
      token_file_(std::move(token_file)) {}

VaultAccess::VaultAccess(http::Transport& transport, Clock& clock, std::string vault_namespace, VaultLogin login)
    : transport_(transport), clock_(clock), namespace_(std::move(vault_namespace)), login_(std::move(login)) {}

http::Request VaultAccess::make_request(const std::string& method, const std::string& target,
                                        const Secret& body) const {
  http::Request request(method, target);
  request.headers.emplace_back("X-Vault-Request", "true");
  request.headers.emplace_back("Accept", "application/json");
  if (!namespace_.empty()) request.headers.emplace_back("X-Vault-Namespace", namespace_);
  if (body.empty()) return request;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::string(body.reveal());
  return request;
}

asio::awaitable<Result<http::Response>> VaultAccess::send(std::string method, std::string target, Secret body,
                                                          bool idempotent) {
  std::uint64_t epoch = 0;
  auto answer = co_await once(method, target, body, idempotent, epoch);
  if (!answer || answer->status != 403 || !may_try_again(epoch)) co_return answer;
  co_return co_await once(method, target, body, idempotent, epoch);
}

// Whether another token may help: one that somebody got meanwhile, or a new one.
bool VaultAccess::may_try_again(std::uint64_t used) {
  if (!login_) return false;
  if (used != epoch_) return true;
  if (forced_at_ && clock_.steady() - *forced_at_ < between_forced_logins) return false;
  forced_at_ = clock_.steady();
  token_ = Secret();
  return true;
}

asio::awaitable<Result<http::Response>> VaultAccess::once(const std::string& method, const std::string& target,
                                                          const Secret& body, bool idempotent, std::uint64_t& epoch) {
  auto with = co_await token(epoch);
  if (!with) co_return fail(std::move(with.error()));
  http::Request request = make_request(method, target, body);
  request.headers.emplace_back("X-Vault-Token", std::string(with->reveal()));
  request.idempotent = idempotent;
  co_return co_await transport_.exchange(std::move(request));
}

asio::awaitable<Result<Secret>> VaultAccess::token(std::uint64_t& epoch) {
  if (!login_) {
    auto line = read_credential_line(token_file_);
    if (!line) co_return fail(unusable_file(std::move(line.error()), "vault.auth.tokenFile"));
    co_return std::move(*line);
  }
  const async::Permit permit = co_await logins_.acquire();  // those who come together share one login
  if (!has_fresh_token()) {
    const Status status = co_await log_in();
    if (!status) co_return fail(status.error());
  }
  epoch = epoch_;
  co_return token_.clone();
}

bool VaultAccess::has_fresh_token() const { return !token_.empty() && (!renew_at_ || clock_.steady() < *renew_at_); }

asio::awaitable<Status> VaultAccess::log_in() {
  token_ = Secret();
  auto jwt = read_credential_line(login_->jwt_file);
  if (!jwt) co_return fail(unusable_file(std::move(jwt.error()), "vault.auth.kubernetes.jwtFile"));
  const Secret body = login_body(login_->role, *jwt);
  http::Request request = make_request("POST", login_target(login_->mount), body);
  auto answer = co_await transport_.exchange(std::move(request));
  const Doing doing{"vault", "logging in", "vault.url", jwt->reveal()};
  if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
  Status status;
  if (answer->status == 200) {
    status = keep_token(*answer);
  } else {
    Error error = refusal(doing, *answer, {vault_errors(*answer), {}});
    if (answer->status >= 400 && error.code != ErrorCode::unavailable) {
      error.code = ErrorCode::unauthenticated;
      error.hint = fmt::format(
          "is there a Kubernetes auth method at {} with a role {} that is bound to graftd's service account? "
          "(vault.auth.kubernetes.mount and .role)",
          graft::quote(login_->mount), graft::quote(login_->role));
    }
    status = fail(std::move(error));
  }
  wipe(answer->body);
  co_return status;
}

Status VaultAccess::keep_token(const http::Response& answer) {
  const Doing doing{"vault", "logging in", "vault.url"};
  const auto document = SecretJson::parse(answer.body);
  const json* auth = nullptr;
  if (document && (*document)->is_object() && (*document)->contains("auth")) auth = &(**document)["auth"];
  if (auth == nullptr || !auth->is_object() || !auth->contains("client_token") || !(*auth)["client_token"].is_string())
    return fail(not_understood(doing, "the answer has no client_token"));
  token_ = Secret((*auth)["client_token"].get<std::string>());
  if (token_.empty() || has_control_characters(token_.reveal())) {
    token_ = Secret();
    return fail(not_understood(doing, "the client_token is no token"));
  }
  const auto lease = auth->find("lease_duration");
  renew_at_.reset();
  if (lease != auth->end() && lease->is_number_integer() && lease->get<std::int64_t>() > 0)
    renew_at_ = clock_.steady() + std::chrono::seconds(lease->get<std::int64_t>()) * 2 / 3;
  ++epoch_;
  return {};
}

}  // namespace graft::sink
