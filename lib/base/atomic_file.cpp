#include "base/atomic_file.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "base/hash.hpp"
#include "base/secret.hpp"

namespace graft {

namespace {

constexpr std::string_view temp_mark = ".graftd-tmp-";
constexpr std::size_t random_bytes = 8;

struct TempFile {
  std::string name;
  Descriptor descriptor;
};

Result<TempFile> make_temp(const Directory& folder, const std::string& name) {
  constexpr int attempts = 8;  // somebody may have planted the very name: unlikely once
  int error = EEXIST;
  for (int i = 0; i < attempts && error == EEXIST; ++i) {
    TempFile temp;
    temp.name = fmt::format(".{}{}{}", name, temp_mark, random_hex(random_bytes));
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    temp.descriptor = Descriptor(::openat(folder.descriptor(), temp.name.c_str(), flags, 0600));
    if (temp.descriptor.open()) return temp;
    error = errno;
  }
  Error made = io_error("make a file in", folder.path(), error);
  made.code = ErrorCode::io;  // a folder that has vanished is no missing file
  return fail(std::move(made));
}

Status own(int descriptor, const std::string& path, const FileOptions& options) {
  constexpr auto unchanged_user = static_cast<uid_t>(-1);
  constexpr auto unchanged_group = static_cast<gid_t>(-1);
  if (options.uid || options.gid) {
    if (::fchown(descriptor, options.uid.value_or(unchanged_user), options.gid.value_or(unchanged_group)) != 0) {
      Error error = io_error("set the owner of", path, errno);
      if (errno == EPERM) error.hint = "only root may give a file to another user; a group must be one of graftd's own";
      return fail(std::move(error));
    }
  }
  if (::fchmod(descriptor, options.mode) != 0) return fail(io_error("set the mode of", path, errno));
  return {};
}

Status write_all(int descriptor, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t size = ::write(descriptor, content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(io_error("write", path, errno));
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

Status fill(TempFile& temp, const std::string& path, std::string_view content, const FileOptions& options) {
  const int descriptor = temp.descriptor.get();
  if (auto status = own(descriptor, path, options); !status) return status;
  if (auto status = write_all(descriptor, path, content); !status) return status;
  if (::fsync(descriptor) != 0) return fail(io_error("make durable", path, errno));
  if (!temp.descriptor.close()) return fail(io_error("close", path, errno));
  return {};
}

Status only_regular(const Directory& folder, const std::string& name) {
  struct stat info{};
  if (::fstatat(folder.descriptor(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return fail(io_error("look at", folder.path_of(name), errno));
  }
  if (S_ISREG(info.st_mode)) return {};
  return fail(Error(ErrorCode::io, fmt::format("{} is no regular file and is not replaced", folder.path_of(name)))
                  .with_hint("move what is there away; a link, FIFO or folder is never followed")
                  .retry());
}

Result<std::string> read_open(const Descriptor& descriptor, const std::string& path, std::size_t limit) {
  struct stat info{};
  if (::fstat(descriptor.get(), &info) != 0) return fail(io_error("look at", path, errno));
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::invalid, fmt::format("{} is no regular file", path));
  std::string content(limit + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(descriptor.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      wipe(content);
      return fail(io_error("read", path, errno));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(std::min(size, limit));
  if (size <= limit) return content;
  wipe(content);
  return fail(ErrorCode::invalid, fmt::format("{} is larger than {} bytes", path, limit));
}

}  // namespace

Status write_file_atomically(const Directory& folder, const std::string& name, std::string_view content,
                             const FileOptions& options) {
  if (auto status = only_regular(folder, name); !status) return status;
  auto temp = make_temp(folder, name);
  if (!temp) return fail(std::move(temp.error()));
  const int in = folder.descriptor();
  Status status = fill(*temp, folder.path_of(name), content, options);
  if (status && ::renameat(in, temp->name.c_str(), in, name.c_str()) != 0)
    status = fail(io_error("replace", folder.path_of(name), errno));
  if (!status) {
    ::unlinkat(in, temp->name.c_str(), 0);
    return status;
  }
  return folder.sync();
}

Status rehearse_write(const Directory& folder, const std::string& name, std::size_t size, const FileOptions& options) {
  if (auto status = only_regular(folder, name); !status) return status;
  auto temp = make_temp(folder, name);
  if (!temp) return fail(std::move(temp.error()));
  Status status = fill(*temp, folder.path_of(name), std::string(size, '\0'), options);
  if (::unlinkat(folder.descriptor(), temp->name.c_str(), 0) != 0 && status)
    status = fail(io_error("remove a file in", folder.path(), errno));
  return status;
}

bool is_leftover_of(std::string_view entry, std::string_view name) {
  const std::string start = fmt::format(".{}{}", name, temp_mark);
  if (!entry.starts_with(start) || entry.size() != start.size() + 2 * random_bytes) return false;
  return entry.find_first_not_of("0123456789abcdef", start.size()) == std::string_view::npos;
}

Status remove_leftovers(const Directory& folder, const std::string& name) {
  // A descriptor of its own: reading entries moves a position that a duplicate would share.
  const int own_descriptor = ::openat(folder.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(own_descriptor < 0 ? nullptr : ::fdopendir(own_descriptor),
                                                    ::closedir);
  if (!entries) return fail(io_error("list the folder", folder.path(), errno));
  std::vector<std::string> found;
  while (const dirent* const entry = ::readdir(entries.get())) {
    if (is_leftover_of(entry->d_name, name)) found.emplace_back(entry->d_name);
  }
  for (const std::string& leftover : found) {
    const bool gone = ::unlinkat(folder.descriptor(), leftover.c_str(), 0) == 0 || errno == ENOENT || errno == EISDIR;
    if (!gone) return fail(io_error("remove", folder.path_of(leftover), errno));
  }
  return {};
}

Result<std::string> read_small_file(const Directory& folder, const std::string& name, std::size_t limit) {
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const Descriptor descriptor(::openat(folder.descriptor(), name.c_str(), flags));
  const std::string path = folder.path_of(name);
  if (descriptor.open()) return read_open(descriptor, path, limit);
  if (errno == ELOOP) return fail(ErrorCode::invalid, fmt::format("{} is a symbolic link", path));
  if (errno == ENXIO) return fail(ErrorCode::invalid, fmt::format("{} is no regular file", path));  // a socket
  return fail(io_error("read", path, errno));
}

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!descriptor.open()) return fail(io_error("read", path, errno));
  return read_open(descriptor, path, limit);
}

}  // namespace graft
