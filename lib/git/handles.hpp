// libgit2's objects with owners, and its errors as ours. For the files of this folder that run in the child only.
#pragma once

#include <git2.h>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "git/releaser.hpp"

namespace graft::git {

using RepositoryHandle = std::unique_ptr<git_repository, Releaser<git_repository_free>>;
using RemoteHandle = std::unique_ptr<git_remote, Releaser<git_remote_free>>;
using ReferenceHandle = std::unique_ptr<git_reference, Releaser<git_reference_free>>;
using ObjectHandle = std::unique_ptr<git_object, Releaser<git_object_free>>;
using CommitHandle = std::unique_ptr<git_commit, Releaser<git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, Releaser<git_tree_free>>;
using EntryHandle = std::unique_ptr<git_tree_entry, Releaser<git_tree_entry_free>>;
using BlobHandle = std::unique_ptr<git_blob, Releaser<git_blob_free>>;

// Calls one of libgit2's makers, which all give what they made by their first argument: made<RepositoryHandle>(
// git_repository_open_bare, path). Null when it failed; `code` is what it said.
template <class Handle, class Function, class... Arguments>
[[nodiscard]] Handle made(int& code, Function function, Arguments... arguments) {
  typename Handle::pointer object = nullptr;
  code = function(&object, arguments...);
  return Handle(code == 0 ? object : nullptr);
}

// What libgit2 said last, as an Error: the code, and whether trying again may help, by its class.
[[nodiscard]] Error git_failure(int code, std::string message);

[[nodiscard]] std::string to_hex(const git_oid& id);
[[nodiscard]] bool has_object(git_repository* repository, const git_oid& id);

}  // namespace graft::git
