#include "manifest/duplicate_keys.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/text.hpp"

namespace graft::manifest {

// By sorting, not hashing: a million keys made to collide must not cost more than a million keys.
std::optional<Diagnostic> find_duplicate_key(const Node& map) {
  std::vector<const Node*> keys;
  keys.reserve(map.entries.size());
  for (const auto& [key, value] : map.entries) keys.push_back(&key);
  const auto written = [](const Node* key) { return std::pair(key->at.line, key->at.column); };
  std::stable_sort(keys.begin(), keys.end(), [](const Node* a, const Node* b) { return a->scalar < b->scalar; });
  const Node* first = nullptr;
  const Node* second = nullptr;
  for (std::size_t i = 1; i < keys.size(); ++i) {
    if (keys[i]->scalar != keys[i - 1]->scalar) continue;
    if (second == nullptr || written(keys[i]) < written(second)) {
      first = keys[i - 1];
      second = keys[i];
    }
  }
  if (second == nullptr) return std::nullopt;
  return Diagnostic{Severity::error, second->at, fmt::format("the key {} is given twice", graft::quote(second->scalar)),
                    fmt::format("first at line {}; keep one of them", first->at.line)};
}

}  // namespace graft::manifest
