// What was read of a token slot, and what was decided, as JSON: so that a token travels through snapshot and plan like
// every other resource, as values. No key is in it, only the marker's fingerprint of one. Both ways keep all that
// decide() looks at.
#pragma once

#include <string>
#include <string_view>

#include "token/slot.hpp"

namespace graft::kinds {

[[nodiscard]] std::string facts_to_json(const token::Inputs& inputs);
[[nodiscard]] token::Inputs facts_from_json(std::string_view text);

[[nodiscard]] std::string decision_to_json(const token::Decision& decision);
[[nodiscard]] token::Decision decision_from_json(std::string_view text);

}  // namespace graft::kinds
