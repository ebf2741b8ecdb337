// The manifests of one commit, read from the object store. No file of the repository is ever written out.
//
// What belongs to them is as in a directory (source/directory_source.hpp): regular files whose names, and whose
// folders' names, do not begin with a dot; links that lead to something in the same tree by a relative path. A link
// that leaves it, a submodule and a Git LFS pointer are told by Content::unreadable.
#pragma once

#include "base/result.hpp"
#include "git/handles.hpp"
#include "source/memory_files.hpp"

namespace graft::git {

// `path`: the folder of the manifests in the repository, "" for all of it. ErrorCode::invalid: there is no such folder,
// or too much in it.
[[nodiscard]] Result<source::Content> read_tree(git_repository* copy, const git_oid& commit, const std::string& path);

}  // namespace graft::git
