// What the life of a token needs of Grafana, and no more: so that the same procedure runs on the real API and on one in
// memory (tests/property).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "grafana/organizations.hpp"
#include "grafana/service_accounts.hpp"

namespace graft::token {

namespace asio = boost::asio;

// Errors as in grafana/service_accounts.hpp.
class Server {
 public:
  virtual ~Server() = default;
  [[nodiscard]] virtual asio::awaitable<Result<std::vector<grafana::Token>>> list(OrgId organization,
                                                                                  AccountId account) = 0;
  [[nodiscard]] virtual asio::awaitable<Result<grafana::NewToken>> create(OrgId organization, AccountId account,
                                                                          const std::string& name,
                                                                          std::optional<std::chrono::seconds> ttl) = 0;
  [[nodiscard]] virtual asio::awaitable<Status> remove(OrgId organization, AccountId account, TokenId token) = 0;
  [[nodiscard]] virtual asio::awaitable<Result<grafana::Identity>> whose_key(const Secret& key) = 0;
  // Grafana's clock; nullopt when its last answer told no time.
  [[nodiscard]] virtual std::optional<WallTime> now() const = 0;
};

[[nodiscard]] std::unique_ptr<Server> make_server(grafana::Api& api);

}  // namespace graft::token
