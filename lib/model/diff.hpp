// The differences of two canonical JSON documents, field by field. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "model/resource.hpp"

namespace graft {

// How much of a value is shown; the rest becomes "…".
inline constexpr std::size_t shown_value_bytes = 120;

// Objects are compared key by key, arrays index by index; a value whose type changed is one difference. Sorted by
// pointer. Both texts must be canonical JSON (model/canonical_json.hpp).
[[nodiscard]] std::vector<FieldChange> diff(std::string_view before, std::string_view after);

}  // namespace graft
