// The bearer token that makes a request over TCP trusted: read from its file each time, so that a new one needs no
// restart, and compared in constant time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::admin {

// Whether the Authorization header is "Bearer " and the content of the file without its last line end.
// Errors: io, invalid (not readable, or empty): nobody can be trusted then.
[[nodiscard]] Result<bool> bears_token(std::string_view authorization, const std::string& token_file);

}  // namespace graft::admin
