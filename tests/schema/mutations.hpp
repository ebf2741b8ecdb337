// A sound document changed in one thing at a time, so that each change breaks one rule of its schema.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace graft::test {

struct Mutation {
  std::string name;      // "/spec/title: a number"
  std::string document;  // JSON
};

// Unknown keys, missing ones, wrong types, other words than those listed, texts out of their pattern or length.
std::vector<Mutation> mutations_of(const nlohmann::json& document, const nlohmann::json& schema);

}  // namespace graft::test
