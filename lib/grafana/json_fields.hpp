// Reading members of Grafana's answers leniently: a member that is missing or of another type reads as empty, 0 or
// false. For .cpp files only (it brings nlohmann/json.hpp).
#pragma once

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace graft::grafana {

inline const nlohmann::json* member(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

inline std::string text_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

inline std::int64_t number_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

inline bool flag_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

inline std::optional<WallTime> time_of(const nlohmann::json& object, std::string_view name) {
  return parse_rfc3339(text_of(object, name));
}

inline const nlohmann::json& array_of(const nlohmann::json& value) {
  static const nlohmann::json empty = nlohmann::json::array();
  return value.is_array() ? value : empty;
}

inline const nlohmann::json& array_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  static const nlohmann::json empty = nlohmann::json::array();
  return value != nullptr ? array_of(*value) : empty;
}

// The array that an answer must be: `null` or a map in its place is somebody's mistake, and never "there are none".
inline Result<const nlohmann::json*> list_in(const nlohmann::json& answer, std::string_view what) {
  if (answer.is_array()) return &answer;
  return fail(ErrorCode::protocol, std::string(what) + ": the answer is not a list");
}

inline std::int64_t number_from(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

}  // namespace graft::grafana
