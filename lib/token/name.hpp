// Names of the tokens that we make: `<declared name>-g<generation>-<check>`, "test-token-g0001-k3j9x2" (tokens.md 2.2).
//
// The name is deterministic, and Grafana's token names are unique in an organization: so a repeated POST of one
// generation is answered "exists", and at most one token of a generation can ever be. The check part proves that a
// token is ours: 6 base-32 characters of SHA-256 over owner, organization, account, declared name and generation. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.hpp"

namespace graft::token {

// Who a slot belongs to. The organization enters by its number, which a rename keeps.
struct SlotIdentity {
  std::string owner;  // the `owner` setting
  OrgId organization;
  std::string account_login;
  std::string token;  // declared name
};

[[nodiscard]] std::string generation_name(const SlotIdentity& slot, std::uint32_t generation);

// The generation, if `name` is one of ours for exactly this slot; anything else is foreign and never touched (T06).
[[nodiscard]] std::optional<std::uint32_t> recognise(const SlotIdentity& slot, std::string_view name);

}  // namespace graft::token
