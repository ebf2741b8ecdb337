// The one table of all kinds. No kind registers itself; whoever adds one adds a line to registry.cpp.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kinds/kind.hpp"
#include "sink/sink.hpp"

namespace graft::token {
class Issuer;
}

namespace graft::kinds {

struct TokenSettings {
  std::string owner;
  std::chrono::seconds orphan_age{60};
  std::chrono::seconds minimum_grace{300};
  std::size_t reissues_per_hour = 3;  // of one slot, that were not planned
  // Makes the sinks that a token's canonical document names, in its order; at least one.
  std::function<std::vector<std::unique_ptr<sink::Sink>>(std::string_view canonical)> make_sinks;
};

class Registry {
 public:
  Registry(token::Issuer& issuer, TokenSettings settings);
  [[nodiscard]] const std::vector<std::unique_ptr<Kind>>& all() const { return kinds_; }  // by rank
  [[nodiscard]] const Kind& get(KindName name) const;  // of a kind that a decoder declares

 private:
  std::vector<std::unique_ptr<Kind>> kinds_;
};

[[nodiscard]] std::unique_ptr<Kind> make_organization_kind();
[[nodiscard]] std::unique_ptr<Kind> make_organization_member_kind();
[[nodiscard]] std::unique_ptr<Kind> make_service_account_kind();
[[nodiscard]] std::unique_ptr<Kind> make_service_account_token_kind(token::Issuer& issuer, TokenSettings settings);
[[nodiscard]] std::unique_ptr<Kind> make_folder_kind();
[[nodiscard]] std::unique_ptr<Kind> make_dashboard_kind();

// The `refresh` of a dashboard's canonical document, if it has one.
[[nodiscard]] std::optional<std::string> dashboard_refresh(std::string_view canonical);
// Raises it to Grafana's minimum, so that what is wanted is what Grafana stores.
void adapt_dashboard(Desired& desired, const std::string& min_refresh);

}  // namespace graft::kinds
