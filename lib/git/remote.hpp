// The other side: which commit a ref names there, and bringing it into the copy. Blocking, without a limit of time (the
// process that this runs in has one). libgit2 1.5 runs no hook, no filter and no program, and knows no `ext::`; which
// of its transports may be used is decided here.
#pragma once

#include <string>

#include "base/result.hpp"
#include "git/handles.hpp"
#include "git/job.hpp"

namespace graft::git {

// What was fetched last, in the copy.
inline constexpr const char* tip_ref = "refs/graftd/tip";

struct Tip {
  git_oid commit{};
  std::string ref;        // "refs/heads/main", or the commit id that was asked for
  bool is_tag = false;    // which is not expected to move
  bool is_fixed = false;  // a commit id: cannot move
};

// ErrorCode::invalid (what was configured), not_found (no such ref), unauthenticated, forbidden (certificate or host
// key), unavailable, blocked (larger than allowed).
[[nodiscard]] Result<Tip> fetch(git_repository* copy, const Repository& repository);

// A whole commit id, of 40 hexadecimal digits.
[[nodiscard]] bool is_commit_id(std::string_view ref);

}  // namespace graft::git
