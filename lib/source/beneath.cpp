#include "source/beneath.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace graft::source {

namespace {

constexpr int always = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int openat2_beneath(int root, const char* path, int flags) {
  open_how how{};
  const int wanted = (flags & O_PATH) != 0 ? flags | O_CLOEXEC : flags | always;  // O_PATH opens nothing to block on
  how.flags = static_cast<__u64>(static_cast<unsigned>(wanted));
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0; attempt < 16; ++attempt) {
    const long number = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (number >= 0 || errno != EAGAIN) return static_cast<int>(number);  // EAGAIN: something was renamed meanwhile
  }
  return -1;
}

// Old kernels say ENOSYS, old container sandboxes EPERM, to every call of it.
bool have_openat2() {
  static const bool have = [] {
    const Descriptor here(openat2_beneath(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
    return here.open();
  }();
  return have;
}

}  // namespace

Descriptor open_beneath(int root, const std::string& path, int flags) {
  if (have_openat2()) return Descriptor(openat2_beneath(root, path.c_str(), flags));
  return open_beneath_by_steps(root, path, flags);
}

Descriptor open_beneath_by_steps(int root, const std::string& path, int flags) {
  Descriptor folder(openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string_view rest = path;
  while (folder.open()) {
    const std::string part(rest.substr(0, rest.find('/')));
    if (part.empty() || part == "..") {
      errno = EXDEV;
      return {};
    }
    if (part.size() == rest.size()) {
      const int more = (flags & O_PATH) != 0 ? O_CLOEXEC : always;
      return Descriptor(openat(folder.get(), part.c_str(), flags | O_NOFOLLOW | more));
    }
    folder = Descriptor(openat(folder.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    rest.remove_prefix(part.size() + 1);
  }
  return {};
}

}  // namespace graft::source
