// One graftd at a time on a state directory: an flock on the file `lock` in it, which holds the owner's process id for
// people to read. The kernel frees it with the process, however that ends; the file itself is never removed, since a
// second process could then lock a file that nobody sees any more.
#pragma once

#include "base/directory.hpp"
#include "base/result.hpp"

namespace graft::state {

// The lock lives as long as the descriptor. ErrorCode::blocked, naming the process, when it is held.
[[nodiscard]] Result<Descriptor> lock_directory(const Directory& directory);

}  // namespace graft::state
