// The part of a slot's row that is one JSON text: what is kept for speed and for people, so that a field more is no
// new version of the schema. Fields that a reader does not know are lost when it writes; none of them is needed for
// safety.
#pragma once

#include <string>
#include <string_view>

#include "state/store.hpp"

namespace graft::state {

[[nodiscard]] std::string write_details(const SlotRecord& record);
// Fills all but generation, phase and token_id. false: it is no such text.
[[nodiscard]] bool read_details(std::string_view text, SlotRecord& record);

}  // namespace graft::state
