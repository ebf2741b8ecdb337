#include "state/directory_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace graft::state {

namespace {

constexpr const char* lock_name = "lock";

Error held(const Directory& directory) {
  const auto content = read_small_file(directory, lock_name, 32);
  const std::string who = content && !content->empty() ? fmt::format(" (process {})", printable(trim(*content))) : "";
  return Error(ErrorCode::blocked,
               fmt::format("the state directory {} is in use by another graftd{}", directory.path(), who))
      .with_hint("stop that one, or give each its own state directory")
      .retry();
}

}  // namespace

Result<Descriptor> lock_directory(const Directory& directory) {
  constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  Descriptor lock(::openat(directory.descriptor(), lock_name, flags, 0600));
  const std::string path = directory.path_of(lock_name);
  if (!lock.open()) return fail(io_error("open", path, errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(held(directory));
    return fail(io_error("lock", path, errno));
  }
  const std::string process = fmt::format("{}\n", ::getpid());
  // Only for people: a full disk must not keep graftd from starting.
  const bool written = ::ftruncate(lock.get(), 0) == 0 && ::write(lock.get(), process.data(), process.size()) >= 0;
  static_cast<void>(written);
  return lock;
}

}  // namespace graft::state
