// What the child does: fetches, decides whether what came may be taken, and reads the manifests of what is in force.
//
// What may be taken (reliability T32): a commit that descends from the one in force. Anything else — a history that was
// rewritten, a tag that was moved, a history that ends before the one in force because the server is shallow — is
// refused and the commit in force stays, unless Repository::allow_non_fast_forward. With an allowed signers file the
// tip must be signed by one of them, or it is refused just so. A commit id in the configuration is somebody's decision:
// it is taken whatever came before.
//
// What is taken is in force only when `good` says so of its files (the manifests in them have no errors): what is kept
// for the next start is always a revision that can be enforced.
//
// Blocking, without a limit of time.
#pragma once

#include <functional>

#include "git/job.hpp"

namespace graft::git {

// Never fails as a whole: what is wrong is Reply::problem, and what is in force is read none the less.
using Judge = std::function<bool(const source::Content&)>;
[[nodiscard]] Reply perform(const Job& job, const Judge& good = {});

}  // namespace graft::git
