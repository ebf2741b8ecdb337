// The process that deals with git, from both ends. The child is graftd itself, started with one argument.
#pragma once

#include <chrono>
#include <string>

#include "base/directory.hpp"
#include "base/result.hpp"
#include "git/job.hpp"
#include "git/worker.hpp"

namespace graft::git {

inline constexpr const char* child_argument = "git-fetch";
inline constexpr const char* this_program = "/proc/self/exe";

// The child's main: a Job on standard input, a Reply on standard output. Returns the exit code.
[[nodiscard]] int child_main(const Judge& good);

// Runs a job in a child of `program`, with an environment of its own, no other descriptor than its pipes, and ends it
// when the time of the repository is over or when `stop` (a descriptor, -1 for none) becomes readable. Blocks; any
// thread, but that thread must live until it returns, and SIGPIPE must be ignored. Errors: timeout, cancelled, protocol
// (it ended without an answer: killed for its memory, say), io (it could not be started).
[[nodiscard]] Result<Reply> run_child(const Job& job, const std::string& program, int stop);

}  // namespace graft::git
