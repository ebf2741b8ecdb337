// What this build is.
#pragma once

#include <string>

namespace graft::daemon {

[[nodiscard]] std::string version();         // "0.1.0"
[[nodiscard]] std::string build_revision();  // commit, shortened; "unknown" when built outside of git
[[nodiscard]] std::string compiler();        // "g++ 12.2.0"
[[nodiscard]] std::string tls_library();
[[nodiscard]] std::string version_text();  // name, version, commit, compiler and libraries, a line each

}  // namespace graft::daemon
