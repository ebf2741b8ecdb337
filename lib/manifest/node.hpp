// Node: a YAML or JSON document as a tree in which every value knows its place. It lives only while manifests are read;
// what stays is canonical text (model/resource.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/position.hpp"

namespace graft::manifest {

struct Node {
  enum class Type : std::uint8_t { null, boolean, number, string, sequence, map };

  struct Entry;

  Type type = Type::null;
  Position at;
  std::string scalar;          // the text of a scalar, as written (unquoted)
  std::vector<Node> items;     // sequence
  std::vector<Entry> entries;  // map, in the order written; keys are strings, each once

  [[nodiscard]] const Node* find(std::string_view key) const;  // value in a map, or null
  [[nodiscard]] static std::string_view word(Type type);       // "a list", "a map", "a string" … for messages
};

struct Node::Entry {
  Node key, value;
};

}  // namespace graft::manifest
