// Strong<T, Tag>: ids and names that cannot be mixed up. A Strong is comparable and hashable like its value, and never
// converts by itself.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace graft {

template <class T, class Tag>
class Strong {
 public:
  Strong() = default;
  explicit Strong(T value) : value_(std::move(value)) {}
  [[nodiscard]] const T& value() const { return value_; }
  auto operator<=>(const Strong&) const = default;

 private:
  T value_{};
};

using OrgId = Strong<std::int64_t, struct OrgIdTag>;          // Grafana's number of an organization; valid when > 0
using AccountId = Strong<std::int64_t, struct AccountIdTag>;  // of a service account
using TokenId = Strong<std::int64_t, struct TokenIdTag>;      // of a service-account token
using UserId = Strong<std::int64_t, struct UserIdTag>;        // of a human user

}  // namespace graft

template <class T, class Tag>
struct std::hash<graft::Strong<T, Tag>> {
  std::size_t operator()(const graft::Strong<T, Tag>& strong) const { return std::hash<T>{}(strong.value()); }
};
