#include "manifest/decoder.hpp"

namespace graft::manifest {

void Decoder::check(std::span<const Desired> /*all*/, Diagnostics& /*diagnostics*/) const {}

}  // namespace graft::manifest
