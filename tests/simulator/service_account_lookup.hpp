// The service account a path names, by number or uid, in the caller's organization.
#pragma once

#include <variant>

#include "routes.hpp"

namespace graft::simulator {

Reply no_such_account();
std::variant<ServiceAccount*, Reply> account_in_path(Call& call);

}  // namespace graft::simulator
