// What this build is.
#pragma once

#include <string>

namespace graft::daemon {

[[nodiscard]] std::string version();       // "0.1.0"
[[nodiscard]] std::string version_text();  // name, version, commit, compiler and libraries, a line each

}  // namespace graft::daemon
