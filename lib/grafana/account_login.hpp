// The login that Grafana derives from a service account's name when it makes the account, and never changes afterwards
// (12.4 [run], grafana-api.md section 4). Two names with one login cannot both be had in an organization. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/strong.hpp"

namespace graft::grafana {

// The part that the name decides: "A b" gives "a-b".
[[nodiscard]] std::string account_slug(std::string_view name);

// "sa-<organization id>-<slug>".
[[nodiscard]] std::string derived_login(OrgId organization, std::string_view account_name);

}  // namespace graft::grafana
