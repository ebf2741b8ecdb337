// What the shells complete: deploy/completion/graftd.bash, _graftd (zsh) and graftd.fish, from the tables of commands,
// flags and settings. A test fails when the files are not these texts, and asks the shells themselves.
#pragma once

#include <string>

namespace graft::daemon {

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace graft::daemon
