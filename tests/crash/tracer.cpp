#include "crash/tracer.hpp"

#include <csignal>
#include <stdexcept>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace graft::test {

namespace {

constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
constexpr int system_call_stop = SIGTRAP | 0x80;

[[noreturn]] void run_child(const std::function<int()>& work, bool traced) {
  if (traced) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
  }
  int code = 99;
  try {
    code = work();
  } catch (...) {
    code = 98;
  }
  ::_exit(code);  // nothing of the parent's is torn down here
}

// Whether this stop is the beginning of a call, and not its end.
bool begins_call(pid_t thread) {
  __ptrace_syscall_info info{};
  const long size = ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
  return size > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

void go_on(pid_t thread, int signal) { ::ptrace(PTRACE_SYSCALL, thread, nullptr, signal); }

Traced finish_killed(pid_t child, Traced traced) {
  ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, __WALL) < 0 && errno == EINTR) {
  }
  traced.killed = true;
  return traced;
}

}  // namespace

Traced run_traced(const std::function<int()>& work, std::optional<std::uint64_t> kill_before_call) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) run_child(work, true);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) throw std::runtime_error("the child did not stop");
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, options);
  go_on(child, 0);
  Traced traced;
  for (;;) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) throw std::runtime_error("waitpid failed");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread != child) continue;
      traced.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return traced;
    }
    const int signal = WSTOPSIG(status);
    if (signal == system_call_stop) {
      if (begins_call(thread) && ++traced.calls == kill_before_call) return finish_killed(child, traced);
      go_on(thread, 0);
    } else if (signal == SIGTRAP || signal == SIGSTOP) {
      go_on(thread, 0);  // a new thread
    } else {
      go_on(thread, signal);
    }
  }
}

Traced run_killed_after(const std::function<int()>& work, std::chrono::microseconds time) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) run_child(work, false);
  std::this_thread::sleep_for(time);
  int status = 0;
  Traced traced;
  if (::waitpid(child, &status, WNOHANG) == 0) return finish_killed(child, traced);
  traced.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return traced;
}

}  // namespace graft::test
