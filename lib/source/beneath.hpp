// Opening a path below a directory and nowhere else. For tree.cpp.
#pragma once

#include <string>

#include "base/directory.hpp"

namespace graft::source {

// As openat, but the kernel refuses to leave `root` by "..", by an absolute path or by a link (errno EXDEV). Where it
// cannot (before Linux 5.6), links are refused altogether (ELOOP). Never blocks on a FIFO.
[[nodiscard]] Descriptor open_beneath(int root, const std::string& path, int flags);

// What open_beneath does where the kernel cannot help.
[[nodiscard]] Descriptor open_beneath_by_steps(int root, const std::string& path, int flags);

}  // namespace graft::source
