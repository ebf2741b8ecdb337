#include "crash/tracer.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <stdexcept>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

// A child is a copy of all our memory, also of what was freed and is kept to find errors: little of it, or forks are
// slow.
#ifdef __SANITIZE_ADDRESS__
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=8"; }  // NOLINT
#endif

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

void go_on(pid_t thread, int signal) { ::ptrace(PTRACE_SYSCALL, thread, nullptr, signal); }

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Lets the child run to its end, whose exit code is returned, and asks at the beginning and end of each of its calls:
// when the answer is no, it stays stopped there and nothing is returned.
std::optional<int> watch(pid_t child, const std::function<bool(pid_t thread, const __ptrace_syscall_info&)>& on_call) {
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) throw std::runtime_error("waitpid failed");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread == child) return exit_code_of(status);
      continue;
    }
    const int signal = WSTOPSIG(status);
    if (signal != system_call_stop) {
      go_on(thread, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);  // those tell of a new thread
      continue;
    }
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
    if (!on_call(thread, info)) return std::nullopt;
    go_on(thread, 0);
  }
}

// Another thread (the simulator's) that is just in the allocator would leave it locked in the child for ever.
pid_t fork_at_rest() {
  constexpr std::chrono::milliseconds rest{3};
  std::this_thread::sleep_for(rest);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  return child;
}

pid_t start_traced(const std::function<int()>& work) {
  const pid_t child = fork_at_rest();
  if (child == 0) run_child(work, true);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) throw std::runtime_error("the child did not stop");
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, options);
  go_on(child, 0);
  return child;
}

// A thread that is traced is waited for one by one, else the process never ends for us.
Traced finish_killed(pid_t child, Traced traced) {
  ::kill(child, SIGKILL);
  int status = 0;
  for (pid_t ended = 0; ended != child;) {
    ended = ::waitpid(-1, &status, __WALL);
    if (ended < 0 && errno != EINTR) throw std::runtime_error("waitpid failed");
    if (ended == child && !WIFEXITED(status) && !WIFSIGNALED(status)) ended = 0;
  }
  traced.killed = true;
  return traced;
}

}  // namespace

Traced run_traced(const std::function<int()>& work, std::optional<std::uint64_t> kill_before_call) {
  const pid_t child = start_traced(work);
  Traced traced;
  const auto on_call = [&](pid_t, const __ptrace_syscall_info& info) {
    return info.op != PTRACE_SYSCALL_INFO_ENTRY || ++traced.calls != kill_before_call;
  };
  const std::optional<int> code = watch(child, on_call);
  if (!code) return finish_killed(child, traced);
  traced.exit_code = *code;
  return traced;
}

#if defined(__x86_64__)

namespace {

bool is_kind(std::uint64_t number, Injection::Call call) {
  switch (call) {
    case Injection::Call::open:
      return number == SYS_openat || number == SYS_open || number == SYS_openat2;
    case Injection::Call::write:
      return number == SYS_write || number == SYS_pwrite64 || number == SYS_writev;
    case Injection::Call::sync:
      return number == SYS_fsync || number == SYS_fdatasync;
    case Injection::Call::rename:
      return number == SYS_rename || number == SYS_renameat || number == SYS_renameat2;
    case Injection::Call::close:
      return number == SYS_close;
    case Injection::Call::chmod:
      return number == SYS_fchmod || number == SYS_fchown;
  }
  return false;
}

std::string path_of(pid_t process, std::uint64_t descriptor) {
  std::error_code none;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/fd/{}", process, descriptor), none).string();
}

std::string text_at(pid_t process, std::uint64_t address) {
  std::string text(4096, '\0');
  const int memory = ::open(fmt::format("/proc/{}/mem", process).c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = ::pread(memory, text.data(), text.size(), static_cast<off_t>(address));
  ::close(memory);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text.substr(0, text.find('\0'));
}

// Whether the call that begins is one to fail.
bool is_about(pid_t process, const __ptrace_syscall_info& info, const Injection& injection) {
  if (!is_kind(info.entry.nr, injection.call)) return false;
  std::string path = path_of(process, info.entry.args[0]);  // a folder, for calls that take one
  const bool named = injection.call == Injection::Call::open || injection.call == Injection::Call::rename;
  if (named) path += "/" + text_at(process, info.entry.args[1]);
  return path.find(injection.path) != std::string::npos;
}

void skip_call(pid_t thread) { ::ptrace(PTRACE_POKEUSER, thread, offsetof(user, regs.orig_rax), -1L); }

void set_result(pid_t thread, int error) {
  ::ptrace(PTRACE_POKEUSER, thread, offsetof(user, regs.rax), -static_cast<long>(error));
}

}  // namespace

Injected run_with_errors(const std::function<int()>& work, const Injection& injection) {
  const pid_t child = start_traced(work);
  Injected injected;
  std::set<pid_t> failing;  // threads in a call that is to fail
  const auto on_call = [&](pid_t thread, const __ptrace_syscall_info& info) {
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      if (!is_about(child, info, injection) || ++injected.matched < injection.from) return true;
      failing.insert(thread);
      skip_call(thread);
    } else if (failing.erase(thread) > 0) {
      set_result(thread, injection.error);
      ++injected.failed;
    }
    return true;
  };
  injected.exit_code = watch(child, on_call).value_or(-1);
  return injected;
}

#else

Injected run_with_errors(const std::function<int()>&, const Injection&) {
  Injected injected;
  injected.possible = false;
  return injected;
}

#endif

Traced run_killed_after(const std::function<int()>& work, std::chrono::microseconds time) {
  const pid_t child = fork_at_rest();
  if (child == 0) run_child(work, false);
  std::this_thread::sleep_for(time);
  int status = 0;
  Traced traced;
  if (::waitpid(child, &status, WNOHANG) == 0) return finish_killed(child, traced);
  traced.exit_code = exit_code_of(status);
  return traced;
}

}  // namespace graft::test
