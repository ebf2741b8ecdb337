#include "manifest/node_json.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "model/canonical_json.hpp"

namespace graft::manifest {

namespace {

using nlohmann::json;

// A number node's text is a JSON number (reader.hpp), so only its size can be wrong.
Result<json> number(const Node& node) {
  double value = 0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
  if (error == std::errc{} && stop == end) return json(value);
  Result<json> parsed = parse_json(node.scalar);  // one that is too small is 0, one that is too large is an error
  if (parsed) return parsed;
  return fail(Error(ErrorCode::invalid, fmt::format("the number {} is too large", printable(node.scalar, 60)))
                  .at(node.at)
                  .with_hint("quote it to make it a string"));
}

Result<json> list(const Node& node) {
  json out = json::array();
  for (const Node& item : node.items) {
    Result<json> value = to_json(item);
    if (!value) return value;
    out.push_back(std::move(*value));
  }
  return out;
}

Result<json> object(const Node& node) {
  json out = json::object();
  for (const auto& [key, item] : node.entries) {
    Result<json> value = to_json(item);
    if (!value) return value;
    out[key.scalar] = std::move(*value);
  }
  return out;
}

}  // namespace

Result<json> to_json(const Node& node) {
  switch (node.type) {
    case Node::Type::null:
      return json(nullptr);
    case Node::Type::boolean:
      return json(node.scalar.front() == 't' || node.scalar.front() == 'T');
    case Node::Type::number:
      return number(node);
    case Node::Type::string:
      return json(node.scalar);
    case Node::Type::sequence:
      return list(node);
    case Node::Type::map:
      return object(node);
  }
  return json(nullptr);
}

}  // namespace graft::manifest
