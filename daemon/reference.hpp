// docs/configuration.md and docs/exit-codes.md, from the tables. A test fails when the files are not these texts.
#pragma once

#include <string>

namespace graft::daemon {

[[nodiscard]] std::string configuration_reference();
[[nodiscard]] std::string exit_code_reference();

}  // namespace graft::daemon
