// What is asked of the process that deals with git, and what it answers: values, and their form on its pipes.
//
// libgit2 and everything that a repository says are kept out of the daemon's own process (reliability T36): a child
// reads and checks them, under limits of time, memory and disk, and without any of the daemon's secrets but the one
// that the repository asks for. What comes back is plain files.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "source/memory_files.hpp"

namespace graft::git {

// Where the manifests are and how they are reached. "" or 0: not given.
struct Repository {
  std::string url;   // https://, http://, ssh://, git@host:path; file:// and paths only with allow_local
  std::string ref;   // a branch, a tag, "refs/…", "HEAD", or a whole commit id
  std::string path;  // the folder of the manifests in it; "" for all of it
  std::string username, token_file;
  std::string ssh_key_file, known_hosts_file;
  std::string ca_file;
  std::string allowed_signers_file;
  bool allow_non_fast_forward = false;
  bool allow_local = false;
  std::uint64_t size_limit = 0;  // bytes that one fetch may bring, and that the copy may take
  std::chrono::seconds timeout{0};

  bool operator==(const Repository&) const = default;
};

struct Job {
  Repository repository;
  std::string directory;  // of the bare copy; made when missing
  bool fetch = true;      // false: what was accepted before is read, and nobody is asked
  bool accept = true;     // false: look only; what is in force stays so
  std::string have;       // the commit whose files the asker has: they are not sent again
};

struct Reply {
  std::string commit;                      // that is in force (or would be, without Job::accept); "" when none is
  std::optional<Error> problem;            // why nothing newer is
  std::optional<source::Content> content;  // of `commit`; none when the asker has it
};

[[nodiscard]] std::string encode(const Job& job);
[[nodiscard]] Result<Job> decode_job(std::string_view text);
[[nodiscard]] std::string encode(const Reply& reply);
[[nodiscard]] Result<Reply> decode_reply(std::string_view bytes);  // ErrorCode::protocol

}  // namespace graft::git
