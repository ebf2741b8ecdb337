#include "kinds/registry.hpp"

#include <fmt/format.h>
#include <stdexcept>

namespace graft::kinds {

Registry::Registry(token::Issuer& issuer, TokenSettings settings) {
  kinds_.push_back(make_organization_kind());
  kinds_.push_back(make_organization_member_kind());
  kinds_.push_back(make_service_account_kind());
  kinds_.push_back(make_service_account_token_kind(issuer, std::move(settings)));
  kinds_.push_back(make_folder_kind());
  kinds_.push_back(make_dashboard_kind());
}

const Kind& Registry::get(KindName name) const {
  for (const std::unique_ptr<Kind>& kind : kinds_)
    if (kind->name() == name) return *kind;
  throw std::logic_error(fmt::format("no live half is registered for kind {}", name.text()));
}

}  // namespace graft::kinds
