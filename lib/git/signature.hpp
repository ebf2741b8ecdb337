// Whether a commit is signed by somebody who may.
#pragma once

#include <string>

#include "base/result.hpp"
#include "git/handles.hpp"

namespace graft::git {

// Good when no file of allowed signers is given (""). Errors: io or invalid for the file; blocked for a commit that
// none of them signed.
[[nodiscard]] Status check_signature(git_repository* repository, const git_oid& commit,
                                     const std::string& allowed_signers_file);

}  // namespace graft::git
