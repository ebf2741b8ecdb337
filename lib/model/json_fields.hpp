// Reading members of a JSON object leniently: a member that is missing or of another type reads as empty, 0 or false.
// For .cpp files only (it brings nlohmann/json.hpp).
#pragma once

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace graft {

inline const nlohmann::json* member(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

inline std::string text_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

inline std::optional<std::int64_t> number_at(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  return value->get<std::int64_t>();
}

inline std::int64_t number_of(const nlohmann::json& object, std::string_view name) {
  return number_at(object, name).value_or(0);
}

inline bool flag_of(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
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

// A time as its whole seconds since 1970; null for none.
inline nlohmann::json seconds_json(const std::optional<WallTime>& time) {
  return time ? nlohmann::json(time->time_since_epoch().count()) : nlohmann::json();
}

inline std::optional<WallTime> seconds_at(const nlohmann::json& object, std::string_view name) {
  const auto seconds = number_at(object, name);
  return seconds ? std::optional(WallTime{std::chrono::seconds(*seconds)}) : std::nullopt;
}

inline std::int64_t number_from(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

}  // namespace graft
