#include "base/directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graft {

namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "the disk or its inodes are full: make room there";
    case EDQUOT:
      return "the quota is used up: make room there or raise it";
    case EROFS:
      return "it is mounted read-only; under systemd, ReadWritePaths= must name it";
    case EACCES:
    case EPERM:
      return fmt::format("graftd runs as uid {}: check owner and mode of the folders and of the file", ::geteuid());
    case ELOOP:
      return "a symbolic link is in its place, and links are not followed here";
    case ENOTDIR:
      return "a file or a link is in the place of a folder";
    case EISDIR:
      return "a folder is in the place of the file";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case EIO:
      return "the disk reports a fault: look at the system's log";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise LimitNOFILE=";
    default:
      return "";
  }
}

// mkdir's mode is cut by the umask; a folder that we have just made gets exactly its own.
Status make_folder(int in, const std::string& name, const std::string& path, unsigned mode) {
  if (::mkdirat(in, name.c_str(), mode) != 0) {
    if (errno == EEXIST) return {};
    return fail(io_error("make the folder", path, errno));
  }
  const Descriptor made(::openat(in, name.c_str(), folder_flags | O_NOFOLLOW));
  if (!made.open() || ::fchmod(made.get(), mode) != 0) return fail(io_error("make the folder", path, errno));
  return {};
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

bool Descriptor::close() { return ::close(std::exchange(number_, -1)) == 0; }

Result<Directory> Directory::open(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), folder_flags));
  if (!descriptor.open()) return fail(io_error("open the folder", path, errno));
  return Directory(std::move(descriptor), path);
}

Result<Directory> Directory::open_or_make(const std::string& path, unsigned mode) {
  auto existing = open(path);
  if (existing || existing.error().code != ErrorCode::not_found) return existing;
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.rfind('/', end);
  const std::string name = path.substr(slash + 1, end - slash);
  if (end == std::string::npos || name.empty()) return existing;
  const std::string above = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  auto parent = open_or_make(above, mode);
  if (!parent) return parent;
  if (auto made = make_folder(parent->descriptor(), name, path, mode); !made) return fail(std::move(made.error()));
  if (auto synced = parent->sync(); !synced) return fail(std::move(synced.error()));
  return open(path);
}

Result<Directory> Directory::folder(const std::string& name) const {
  Descriptor descriptor(::openat(descriptor_.get(), name.c_str(), folder_flags | O_NOFOLLOW));
  if (!descriptor.open()) return fail(io_error("open the folder", path_of(name), errno));
  return Directory(std::move(descriptor), path_of(name));
}

Result<Directory> Directory::folder_or_make(const std::string& name, unsigned mode) const {
  auto existing = folder(name);
  if (existing || existing.error().code != ErrorCode::not_found) return existing;
  if (auto made = make_folder(descriptor_.get(), name, path_of(name), mode); !made)
    return fail(std::move(made.error()));
  if (auto synced = sync(); !synced) return fail(std::move(synced.error()));
  return folder(name);
}

std::string Directory::path_of(const std::string& name) const {
  return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

Status Directory::sync() const {
  if (::fsync(descriptor_.get()) != 0) return fail(io_error("make durable the folder", path_, errno));
  return {};
}

Error io_error(std::string_view doing, const std::string& path, int error_number) {
  const ErrorCode code = error_number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  const std::string reason = std::generic_category().message(error_number);
  return Error(code, fmt::format("cannot {} {}: {}", doing, path, reason)).with_hint(hint_for(error_number)).retry();
}

}  // namespace graft
