#include "schema/mutations.hpp"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace graft::test {

namespace {

using nlohmann::json;
using Pointer = json::json_pointer;

class Mutating {
 public:
  Mutating(const json& document, std::vector<Mutation>& out) : document_(document), out_(out) {}

  void walk(const json& schema, const Pointer& at) {
    const json& value = document_.at(at);
    if (value.is_object()) object(schema, value, at);
    if (value.is_array()) {
      put(at, "a text for a list", "x");
      for (std::size_t i = 0; i < value.size(); ++i)
        if (schema.contains("items")) walk(schema["items"], at / i);
    }
    if (value.is_string()) text(schema, at);
    if (value.is_boolean()) put(at, "a text for true or false", "yes");
  }

 private:
  void object(const json& schema, const json& value, const Pointer& at) {
    put(at, "a list for a map", json::array());
    const json& others = schema.contains("additionalProperties") ? schema["additionalProperties"] : open_;
    if (others == false) put(at / "no-such-field", "an unknown key", "x");
    for (const auto& name : schema.value("required", json::array())) {
      json changed = document_;
      changed[at].erase(name.get<std::string>());
      add(at / name.get<std::string>(), "left out", changed);
    }
    for (const auto& [name, inner] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(name)) {
        walk(schema["properties"][name], at / name);
      } else if (others.is_object()) {
        walk(others, at / name);
      }
    }
  }

  void text(const json& schema, const Pointer& at) {
    put(at, "a number for a text", 5);
    put(at, "true for a text", true);
    put(at, "a map for a text", json::object());
    if (schema.contains("enum") || schema.contains("const")) put(at, "no such word", "no-such-word");
    if (schema.contains("pattern")) put(at, "out of its pattern", "\x07 !");
    if (schema.value("minLength", 0) > 0) put(at, "empty", "");
    if (schema.contains("maxLength")) put(at, "too long", std::string(schema["maxLength"].get<std::size_t>() + 1, 'a'));
  }

  void put(const Pointer& at, std::string_view what, const json& value) {
    json changed = document_;
    changed[at] = value;
    add(at, what, changed);
  }
  void add(const Pointer& at, std::string_view what, const json& changed) {
    out_.push_back({at.to_string() + ": " + std::string(what), changed.dump()});
  }

  const json& document_;
  std::vector<Mutation>& out_;
  const json open_ = true;
};

}  // namespace

std::vector<Mutation> mutations_of(const json& document, const json& schema) {
  std::vector<Mutation> out;
  Mutating(document, out).walk(schema, Pointer());
  return out;
}

}  // namespace graft::test
