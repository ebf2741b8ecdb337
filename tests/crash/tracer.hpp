// Runs a piece of this program in a process of its own under ptrace, and kills it before its n-th system call, counted
// over all of its threads. (strace can kill at the n-th call of one kind in one thread, which never reaches the calls
// that a second thread makes later: the disk thread is where the keys are written.)
//
// Linux; needs the right to trace one's own children. The calling process must be idle: the child is made by fork.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace graft::test {

struct Traced {
  std::uint64_t calls = 0;  // system calls that were begun
  bool killed = false;      // by us; else it ended by itself
  int exit_code = -1;       // when it ended by itself
};

// `work` returns the exit code.
Traced run_traced(const std::function<int()>& work, std::optional<std::uint64_t> kill_before_call = std::nullopt);

// Lets system calls fail that are about a path which holds `path`: those of the kind, from the n-th of them on. What
// fails is not carried out. false as `possible`: not on this machine (it is written for x86-64).
struct Injection {
  enum class Call { open, write, sync, rename, close, chmod };
  Call call = Call::open;
  std::string path;
  std::uint64_t from = 1;
  int error = 0;  // errno
};
struct Injected {
  bool possible = true;
  std::uint64_t matched = 0, failed = 0;
  int exit_code = -1;
};
Injected run_with_errors(const std::function<int()>& work, const Injection& injection);

// The same, not traced but killed after a time, if it has not ended by then.
Traced run_killed_after(const std::function<int()>& work, std::chrono::microseconds time);

}  // namespace graft::test
