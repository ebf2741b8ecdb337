// How much a manifest tree may ask of us (reliability T34). Whoever can commit a manifest can commit a hostile one;
// each limit is far above what people write and far below what could hurt the daemon.
#pragma once

#include <cstddef>

namespace graft::manifest::limits {

inline constexpr std::size_t manifest_bytes = std::size_t{1} << 20U;    // one YAML or JSON manifest, so also one scalar
inline constexpr std::size_t dashboard_bytes = std::size_t{16} << 20U;  // a dashboard's JSON file: Grafana's own limit
inline constexpr std::size_t tree_bytes = std::size_t{64} << 20U;       // all that one revision reads
inline constexpr std::size_t documents = 50'000;
inline constexpr std::size_t depth = 64;              // of maps and lists in one another
inline constexpr std::size_t nodes = 250'000;         // values in one document
inline constexpr std::size_t aliases = 100;           // uses of `*name` in one document
inline constexpr std::size_t copied_nodes = 100'000;  // values that anchors and aliases multiply, in one document
inline constexpr std::size_t problems = 1'000;        // reported in one pass; a person reads fewer

}  // namespace graft::manifest::limits
