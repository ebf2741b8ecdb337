#include "git/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.hpp"
#include "git/home.hpp"
#include "git/worker.hpp"
#include "manifest/limits.hpp"

namespace graft::git {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t job_bytes = 64U << 10U;  // fits into a pipe: it is written without anybody reading
constexpr std::size_t reply_bytes = manifest::limits::tree_bytes + (std::size_t{64} << 20U);

struct Pipe {
  Descriptor reading, writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(io_error("make", "a pipe", errno));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(to, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Up to `limit` bytes; false when there was more, or an error.
bool read_some(int from, std::string& into, std::size_t limit, bool& ended) {
  std::array<char, 65'536> buffer{};
  const ssize_t count = ::read(from, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR;
  ended = count == 0;
  into.append(buffer.data(), static_cast<std::size_t>(count));
  return into.size() <= limit;
}

class SpawnActions {
 public:
  SpawnActions(int in, int out) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// Nothing of our environment but what a sanitizer is told by: no proxy, no GIT_ variable, no setting.
Result<pid_t> spawn(const Job& job, const std::string& program, int in, int out) {
  const SpawnActions actions(in, out);
  std::string name = "graftd", argument = child_argument;
  std::string home = fmt::format("HOME={}", home_of(job.directory));
  const char* sanitizer = std::getenv("ASAN_OPTIONS");
  std::string options = fmt::format("ASAN_OPTIONS={}", sanitizer == nullptr ? "" : sanitizer);
  std::array<char*, 3> arguments{name.data(), argument.data(), nullptr};
  std::array<char*, 3> environment{home.data(), sanitizer == nullptr ? nullptr : options.data(), nullptr};
  pid_t child = -1;
  const int failed =
      ::posix_spawn(&child, program.c_str(), actions.get(), nullptr, arguments.data(), environment.data());
  if (failed != 0) return fail(io_error("start", program, failed));
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// What the child says, until it ends, its time is over, or we are stopped.
Status listen(int from, int stop, steady_clock::time_point until, std::string& heard) {
  for (bool ended = false; !ended;) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left <= milliseconds(0)) return fail(ErrorCode::timeout, "no answer");
    std::array<pollfd, 2> wait{{{from, POLLIN, 0}, {stop, POLLIN, 0}}};
    const int ready = ::poll(wait.data(), wait.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail(io_error("wait for", "a child process", errno));
    if (ready <= 0) continue;
    if (wait[1].revents != 0) return fail(ErrorCode::cancelled, "stopped");
    if (wait[0].revents != 0 && !read_some(from, heard, reply_bytes, ended))
      return fail(ErrorCode::protocol, "the answer is too long");
  }
  return {};
}

Error ended_badly(const Job& job, int status) {
  const std::string how =
      WIFSIGNALED(status) ? fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                          : fmt::format("ended with code {}", WEXITSTATUS(status));
  return Error(ErrorCode::protocol, fmt::format("the process that fetches {} {}", quote(job.repository.url), how))
      .with_hint(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                     ? "for want of memory? see manifests.git.sizeLimit, and the memory limit of this service"
                     : "")
      .retry();
}

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  (void)::setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

// What a hostile repository can take is bounded by the kernel, whatever it makes libgit2 do.
void limit_self(const Repository& repository) {
  constexpr rlim_t memory = rlim_t{768} << 20U;  // address space: mapped packs are in it
  constexpr rlim_t data = rlim_t{320} << 20U;    // what is really used
  constexpr rlim_t slack = rlim_t{8} << 20U;
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, repository.size_limit + slack);
  limit(RLIMIT_NOFILE, 256);
  limit(RLIMIT_CPU, static_cast<rlim_t>(repository.timeout.count()) + 5);
#ifndef __SANITIZE_ADDRESS__  // whose shadow is larger than any memory
  limit(RLIMIT_AS, memory);
  limit(RLIMIT_DATA, data);
#else
  (void)memory;
  (void)data;
#endif
  // If memory runs out all the same, this is what must go, not the daemon.
  std::ofstream("/proc/self/oom_score_adj") << 1000;
  // Should the parent end before it can be told, this does not wait for a server for ever.
  ::alarm(static_cast<unsigned>(repository.timeout.count()) + 5);
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a write that is too long fails instead
  (void)std::signal(SIGPIPE, SIG_IGN);
}

// Run by root (a `check` before the service was started, say), it leaves nothing that the service could not write.
void become_owner_of(const std::string& directory) {
  struct stat status{};
  const std::string state = std::filesystem::path(directory).parent_path().parent_path().string();
  if (::geteuid() != 0 || ::stat(state.c_str(), &status) != 0 || status.st_uid == 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setresgid(status.st_gid, status.st_gid, status.st_gid) != 0 ||
      ::setresuid(status.st_uid, status.st_uid, status.st_uid) != 0)
    ::_exit(EXIT_FAILURE);
}

}  // namespace

int child_main(const Judge& good) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string text;
  for (bool ended = false; !ended;)
    if (!read_some(STDIN_FILENO, text, job_bytes, ended)) return EXIT_FAILURE;
  const Result<Job> job = decode_job(text);
  if (!job) return EXIT_FAILURE;
  limit_self(job->repository);
  become_owner_of(job->directory);
  Job todo = *job;
  Status prepared = todo.fetch ? prepare_home(todo) : Status{};
  todo.fetch = todo.fetch && prepared.has_value();  // what is in force is read all the same
  Reply reply = perform(todo, good);
  if (!prepared) reply.problem = std::move(prepared.error());
  const bool told = write_all(STDOUT_FILENO, encode(reply));
  ::_exit(told ? EXIT_SUCCESS : EXIT_FAILURE);  // nothing is left to tidy up
}

Result<Reply> run_child(const Job& job, const std::string& program, int stop) {
  const std::string text = encode(job);
  if (text.size() > job_bytes) return fail(ErrorCode::invalid, "the settings of manifests.git are too long");
  Result<Pipe> in = make_pipe();
  if (!in) return fail(std::move(in.error()));
  Result<Pipe> out = make_pipe();
  if (!out) return fail(std::move(out.error()));
  const Result<pid_t> child = spawn(job, program, in->reading.get(), out->writing.get());
  if (!child) return fail(child.error());
  in->reading = Descriptor();
  out->writing = Descriptor();
  const bool told = write_all(in->writing.get(), text);
  in->writing = Descriptor();
  std::string answer;
  const auto until = steady_clock::now() + job.repository.timeout;
  Status heard = told ? listen(out->reading.get(), stop, until, answer) : Status{};
  ::kill(*child, SIGKILL);  // after its answer it has nothing left to do; its exit code, if it has one, stays
  const int status = wait_for(*child);
  if (!heard && heard.error().code == ErrorCode::timeout)
    return fail(Error(ErrorCode::timeout, fmt::format("{} did not answer, or not fully, within {} s",
                                                      quote(job.repository.url), job.repository.timeout.count()))
                    .with_hint("see manifests.git.timeout")
                    .retry());
  if (!heard) return fail(std::move(heard.error()));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fail(ended_badly(job, status));
  Result<Reply> reply = decode_reply(answer);
  if (!reply) return fail(std::move(reply.error()).context("the answer of the process that fetches").retry());
  return reply;
}

}  // namespace graft::git
