// The second of two equal keys in a map, as an error that names the first. For the two readers.
#pragma once

#include <optional>

#include "base/diagnostics.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

// The first duplicate in the order written; the Diagnostic is ready to be reported.
[[nodiscard]] std::optional<Diagnostic> find_duplicate_key(const Node& map);

}  // namespace graft::manifest
