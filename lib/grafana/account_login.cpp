#include "grafana/account_login.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/text.hpp"

namespace graft::grafana {

std::string account_slug(std::string_view name) {
  std::string slug = to_lower(name);
  std::replace(slug.begin(), slug.end(), ' ', '-');
  return slug;
}

std::string derived_login(OrgId organization, std::string_view account_name) {
  return fmt::format("sa-{}-{}", organization.value(), account_slug(account_name));
}

}  // namespace graft::grafana
