// The bare copy of a repository on disk, and beside it the commit that is in force. One process at a time.
//
//   <directory>          the repository: objects that were fetched; nothing in it is ever checked out or run
//   <directory>.new      its successor while one is made; swept when it is met
//   <directory>.commit   the accepted commit, one line; it outlives the copy, so that a rewritten history is still seen
//                        after the copy was lost
//   <directory>.lock     flock
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/directory.hpp"
#include "base/result.hpp"
#include "git/handles.hpp"

namespace graft::git {

class Copy {
 public:
  // Waits for the lock, makes the copy when there is none or when nothing that is in force can be read from it, and
  // takes away what killed processes have left. ErrorCode::blocked: another process has the lock; else ErrorCode::io.
  [[nodiscard]] static Result<Copy> open(const std::string& directory, std::chrono::milliseconds patience);

  [[nodiscard]] git_repository* repository() const { return repository_.get(); }

  [[nodiscard]] std::optional<git_oid> accepted() const { return accepted_; }
  [[nodiscard]] Status accept(const git_oid& commit);  // durable when it returns

  // Many fetches leave many packs, and objects that nothing names any more: then it is worth to begin anew.
  [[nodiscard]] bool worn(std::uint64_t size_limit) const;
  // An empty successor to fetch into, and taking it into use instead of this one.
  [[nodiscard]] Result<RepositoryHandle> make_successor() const;
  [[nodiscard]] Status replace_by(RepositoryHandle successor);
  void drop_successor() const;

 private:
  Copy(std::string directory, Directory parent, Descriptor lock, RepositoryHandle repository)
      : directory_(std::move(directory)),
        parent_(std::move(parent)),
        lock_(std::move(lock)),
        repository_(std::move(repository)) {}

  std::string directory_;
  Directory parent_;
  Descriptor lock_;
  RepositoryHandle repository_;
  std::optional<git_oid> accepted_;
};

}  // namespace graft::git
