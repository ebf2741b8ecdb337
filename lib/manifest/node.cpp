#include "manifest/node.hpp"

namespace graft::manifest {

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

std::string_view Node::word(Type type) {
  switch (type) {
    case Type::null:
      return "nothing";
    case Type::boolean:
      return "a boolean";
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::sequence:
      return "a list";
    case Type::map:
      return "a map";
  }
  return "a value";
}

}  // namespace graft::manifest
