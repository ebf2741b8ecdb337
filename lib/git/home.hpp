// The home folder of the child: it holds the known hosts, where libgit2 1.5 looks for them and nowhere else.
#pragma once

#include <string>

#include "base/result.hpp"
#include "git/job.hpp"

namespace graft::git {

[[nodiscard]] std::string home_of(const std::string& directory);  // of Job::directory

// Puts Repository::known_hosts_file there. Nothing for other urls than ssh. ErrorCode::io, not_found, invalid.
[[nodiscard]] Status prepare_home(const Job& job);

}  // namespace graft::git
