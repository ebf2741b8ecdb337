// Whether two answers say the same, given that servers issue ids of their own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "recording.hpp"

namespace graft::conformance {

// A variable's value when recorded and now.
struct Variable {
  Json recorded;
  Json actual;
};

using Variables = std::map<std::string, Variable>;

struct Tolerance {
  std::vector<std::string> variable_pointers;  // compared by type; * is any index or key, "" everything
  std::vector<std::string> unordered;          // arrays; "/" and "" are the whole answer
};

// Equal, or a variable's recorded value on one side and its actual one on the other, also as a whole word inside.
bool same_text(const std::string& recorded, const std::string& actual, const Variables& variables);

// The differences as lines "pointer: what"; none when both say the same.
std::vector<std::string> differences(const Json& recorded, const Json& actual, const Tolerance& tolerance,
                                     const Variables& variables);

}  // namespace graft::conformance
