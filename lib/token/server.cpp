#include "token/server.hpp"

namespace graft::token {

namespace {

class GrafanaServer final : public Server {
 public:
  explicit GrafanaServer(grafana::Api& api) : api_(api) {}

  asio::awaitable<Result<std::vector<grafana::Token>>> list(OrgId organization, AccountId account) override {
    return grafana::list_tokens(api_, organization, account);
  }
  asio::awaitable<Result<grafana::NewToken>> create(OrgId organization, AccountId account, const std::string& name,
                                                    std::optional<std::chrono::seconds> ttl) override {
    return grafana::create_token(api_, organization, account, name, ttl);
  }
  asio::awaitable<Status> remove(OrgId organization, AccountId account, TokenId token) override {
    return grafana::delete_token(api_, organization, account, token);
  }
  asio::awaitable<Result<grafana::Identity>> whose_key(const Secret& key) override {
    return grafana::whose_key(api_, key);
  }
  std::optional<WallTime> now() const override { return api_.server_time(); }

 private:
  grafana::Api& api_;
};

}  // namespace

std::unique_ptr<Server> make_server(grafana::Api& api) { return std::make_unique<GrafanaServer>(api); }

}  // namespace graft::token
