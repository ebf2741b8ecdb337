// What model/json_fields.hpp does not know of reading Grafana's answers. For .cpp files only.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/json_fields.hpp"

namespace graft::grafana {

inline std::optional<WallTime> time_of(const nlohmann::json& object, std::string_view name) {
  return parse_rfc3339(text_of(object, name));
}

// The array that an answer must be: `null` or a map in its place is somebody's mistake, and never "there are none".
inline Result<const nlohmann::json*> list_in(const nlohmann::json& answer, std::string_view what) {
  if (answer.is_array()) return &answer;
  return fail(ErrorCode::protocol, std::string(what) + ": the answer is not a list");
}

}  // namespace graft::grafana
