#include "git/signature.hpp"

#include <chrono>
#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "git/ssh_signature.hpp"

namespace graft::git {

namespace {

struct Signed {
  git_buf signature = GIT_BUF_INIT, payload = GIT_BUF_INIT;
  Signed() = default;
  ~Signed() {
    git_buf_dispose(&signature);
    git_buf_dispose(&payload);
  }
  Signed(const Signed&) = delete;
  Signed& operator=(const Signed&) = delete;
};

std::string_view view(const git_buf& buffer) { return {buffer.ptr == nullptr ? "" : buffer.ptr, buffer.size}; }

Error refused(const git_oid& commit, std::string why) {
  return Error(ErrorCode::blocked, fmt::format("commit {} is not taken: {}", to_hex(commit).substr(0, 12), why))
      .with_hint(
          "manifests.git.allowedSignersFile asks for commits that one of its keys has signed "
          "(git config gpg.format ssh; git commit -S)")
      .retry();
}

}  // namespace

Status check_signature(git_repository* repository, const git_oid& commit, const std::string& allowed_signers_file) {
  if (allowed_signers_file.empty()) return {};
  Result<std::string> text = read_small_file(allowed_signers_file, allowed_signers_limit);
  if (!text) return fail(std::move(text.error()).context("manifests.git.allowedSignersFile"));
  const Result<AllowedSigners> signers = AllowedSigners::parse(*text, allowed_signers_file);
  if (!signers) return fail(signers.error());
  int code = 0;
  const auto object = made<CommitHandle>(code, git_commit_lookup, repository, &commit);
  if (object == nullptr) return fail(git_failure(code, fmt::format("cannot read commit {}", to_hex(commit))));
  Signed found;
  git_oid id = commit;
  if (git_commit_extract_signature(&found.signature, &found.payload, repository, &id, nullptr) != 0)
    return fail(refused(commit, "it is not signed"));
  const git_signature* committer = git_commit_committer(object.get());
  const WallTime at{std::chrono::seconds(committer->when.time)};
  const auto who = verify_ssh_signature(view(found.signature), view(found.payload), "git", *signers, at);
  if (!who) return fail(refused(commit, who.error().describe()));
  return {};
}

}  // namespace graft::git
