#include "request_body.hpp"

#include "text.hpp"

namespace graft::simulator {

std::string media_type(const Request& request) {
  const std::string type = request.header("content-type");
  return ascii_lower(trim(type.substr(0, type.find(';'))));
}

bool is_declared_json(const Request& request) { return media_type(request) == "application/json"; }

std::optional<Json> struct_body(const Request& request) {
  if (!is_declared_json(request)) return std::nullopt;
  auto value = first_value(request.body);
  if (!value || !value->is_object()) return std::nullopt;
  return value;
}

}  // namespace graft::simulator
