// The credential that the settings name, read from its file. Read again at every cycle, so that a corrected password is
// used without a restart.
#pragma once

#include <string>

#include "base/result.hpp"
#include "daemon/settings.hpp"
#include "grafana/credential.hpp"

namespace graft::daemon {

// Errors (ErrorCode::io or invalid) name the file and our user. A line end at the end of the file is not part of it.
[[nodiscard]] Result<grafana::Credential> read_credential(const Settings& settings);

// The content of a file that holds a secret, as it is; at most 4 KiB. Errors as above.
[[nodiscard]] Result<Secret> read_secret_file(const std::string& file);

// Changes whenever the file does; "" when it cannot be looked at. Costs one stat.
[[nodiscard]] std::string credential_stamp(const Settings& settings);

}  // namespace graft::daemon
