// From the bytes of one revision to the desired state, or to a complete list of what is wrong with it. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostics.hpp"
#include "manifest/decoder.hpp"
#include "model/resource.hpp"

namespace graft::manifest {

// What the manifests want, as a whole. Immutable once loaded; shared by the cycles that enforce it.
struct DesiredState {
  std::vector<Desired> resources;  // sorted by key; keys are unique
  std::string revision;            // of the source
};

struct LoadResult {
  // Null when there are errors: nothing of a bad revision is applied. A source that remembers an earlier good revision
  // may put that here, beside the errors that keep a newer one from being taken.
  std::shared_ptr<const DesiredState> state;
  Diagnostics diagnostics;  // sorted by place; warnings and notes also when state is set
  std::size_t documents = 0, files = 0;
};

using Decoders = std::span<const Decoder* const>;

[[nodiscard]] LoadResult load(const Files& files, Decoders decoders);

}  // namespace graft::manifest
