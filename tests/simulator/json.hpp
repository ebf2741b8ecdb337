// JSON as Grafana reads and writes it: Go's numbers, Go's forgiving decoder. For the simulator's own sources only.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace graft::simulator {

using Json = nlohmann::json;

// A float64 as Go's encoding/json prints it: 1, 0.5, 1e+21, 1e-7, -0.
std::string print_float64(double value);

// Compact text with numbers printed as Go does; invalid UTF-8 is replaced.
std::string print(const Json& value);

// Every number below becomes a float64, as in Go's map[string]any.
Json with_float64_numbers(const Json& value);

// The first JSON value of the text; whatever follows it is ignored, as Go's decoder does. Nothing for broken JSON.
std::optional<Json> first_value(std::string_view text);

// A struct field as Go's decoder finds it: the exact name first, else one that differs in case only. Null: absent.
const Json* field(const Json& object, std::string_view name);

// Fields of a Go struct by type. `bad` is set when the field has another type, which fails the whole request.
std::string string_field(const Json& object, std::string_view name, bool& bad);
bool bool_field(const Json& object, std::string_view name, bool& bad);
std::int64_t integer_field(const Json& object, std::string_view name, bool& bad);

}  // namespace graft::simulator
