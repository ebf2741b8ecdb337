// User and group names of this machine as numbers. A name that is none but consists of digits is taken as the number.
#pragma once

#include <string>
#include <sys/types.h>

#include "base/result.hpp"

namespace graft::sink {

[[nodiscard]] Result<uid_t> user_id(const std::string& name);
[[nodiscard]] Result<gid_t> group_id(const std::string& name);

}  // namespace graft::sink
