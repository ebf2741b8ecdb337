// libgit2's way over HTTP, by our own hands. Its built-in one (1.5.1) follows a redirect whatever it is told, takes the
// token along to wherever that leads, and verifies by another library than the rest of graftd. This one follows none,
// and trusts what graftd trusts.
#pragma once

#include <git2.h>
#include <string>

#include "git/job.hpp"

namespace graft::git {

struct HttpSession {
  const Repository& repository;
  std::string login;  // "user:token", sent with every request; "" for none
};

// For git_remote_callbacks::transport; the payload of that one is an HttpSession, which outlives the remote.
int make_http_transport(git_transport** out, git_remote* owner, void* session);

}  // namespace graft::git
