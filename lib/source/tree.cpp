#include "source/tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/text.hpp"
#include "source/beneath.hpp"
#include "source/memory_files.hpp"

namespace graft::source {

namespace {

std::string reason(int error) { return std::system_category().message(error); }

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

Stamp stamp_of(std::string path, const struct stat& status) {
  return {std::move(path),
          status.st_dev,
          status.st_ino,
          static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

std::string_view special(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISBLK(mode) || S_ISCHR(mode)) return "a device";
  return "no regular file";
}

std::string link_problem(int error) {
  if (error == EXDEV) return "is a link that leaves the manifest tree (or is absolute)";
  if (error == ENOENT) return "is a link to nothing";
  if (error == ELOOP) return "is a link that cannot be followed";
  return fmt::format("is a link that cannot be followed: {}", reason(error));
}

class Walker {
 public:
  explicit Walker(int root) : root_(root) {}

  Result<Walk> run(const std::string& folder) {
    directory(folder);
    if (seen_ > most_entries) return fail(too_many_entries());
    std::sort(walk_.files.begin(), walk_.files.end());
    std::sort(walk_.directories.begin(), walk_.directories.end());
    std::sort(walk_.unreadable.begin(), walk_.unreadable.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(walk_);
  }

 private:
  void unreadable(std::string path, std::string why) { walk_.unreadable.push_back({std::move(path), std::move(why)}); }

  void directory(const std::string& path) {
    const Descriptor descriptor = open_beneath(root_, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    if (!descriptor.open()) {
      if (errno != ENOENT) unreadable(path, fmt::format("cannot be read: {}", reason(errno)));
      return;
    }
    struct stat status{};
    if (fstat(descriptor.get(), &status) != 0) return;
    const std::pair<dev_t, ino_t> identity(status.st_dev, status.st_ino);
    if (std::find(above_.begin(), above_.end(), identity) != above_.end()) {
      return unreadable(path, "is a link to a folder round itself");
    }
    if (above_.size() == deepest) return unreadable(path, fmt::format("lies deeper than {} folders", deepest));
    walk_.newest = std::max({walk_.newest, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)});
    above_.push_back(identity);
    entries(descriptor, path);
    above_.pop_back();
  }

  void entries(const Descriptor& descriptor, const std::string& path) {
    const int copy = fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0);  // closedir closes this one
    DIR* const stream = copy < 0 ? nullptr : fdopendir(copy);
    if (stream == nullptr) {
      if (copy >= 0) ::close(copy);
      return unreadable(path, fmt::format("cannot be read: {}", reason(errno)));
    }
    while (const dirent* each = readdir(stream)) {
      const std::string_view name = each->d_name;
      if (name.starts_with('.')) continue;
      if (++seen_ > most_entries) break;
      entry(dirfd(stream), path.empty() ? std::string(name) : fmt::format("{}/{}", path, name), std::string(name));
    }
    closedir(stream);
  }

  void entry(int folder, const std::string& path, const std::string& name) {
    struct stat status{};
    if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // gone: the second walk will tell
    if (S_ISLNK(status.st_mode)) {
      const Descriptor target = open_beneath(root_, path, O_PATH);
      if (!target.open() || fstat(target.get(), &status) != 0) return unreadable(path, link_problem(errno));
    }
    if (S_ISDIR(status.st_mode)) {
      walk_.directories.push_back(path);
      return directory(path);
    }
    if (!may_be_manifest(name)) return;
    if (invalid_utf8(name) || has_control_characters(name)) {
      return unreadable(path, "has a name with control characters or broken UTF-8");
    }
    if (!S_ISREG(status.st_mode)) return unreadable(path, fmt::format("is {}, not a file", special(status.st_mode)));
    walk_.files.push_back(stamp_of(path, status));
    walk_.newest = std::max({walk_.newest, walk_.files.back().modified, walk_.files.back().changed});
  }

  int root_;
  Walk walk_;
  std::vector<std::pair<dev_t, ino_t>> above_;  // the folders round the current one
  std::size_t seen_ = 0;
};

Error cannot_open(const std::string& path, int error) {
  if (error == ENOENT) {
    return Error(ErrorCode::io, fmt::format("the manifest directory {} does not exist", graft::quote(path)))
        .with_hint("make it, or name another one");
  }
  if (error == EACCES || error == EPERM) {
    return Error(ErrorCode::io,
                 fmt::format("the manifest directory {} may not be read by uid {}", graft::quote(path), geteuid()))
        .with_hint("give that user the right to read it (r and x on folders, r on files)");
  }
  if (error == ENOTDIR) return Error(ErrorCode::io, fmt::format("{} is no directory", graft::quote(path)));
  return Error(ErrorCode::io,
               fmt::format("cannot open the manifest directory {}: {}", graft::quote(path), reason(error)));
}

// A link that is switched at this moment leads for an instant to a tree that is gone: the next look finds the new one.
Descriptor open_tree(int folder, const char* path) {
  constexpr int looks = 5;
  Descriptor tree;
  for (int look = 0; look < looks && !tree.open(); ++look) {
    tree = Descriptor(openat(folder, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!tree.open() && errno != ENOENT) break;
  }
  return tree;
}

bool is_link(int folder, const char* path) {
  struct stat status{};
  return fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

bool Walk::same_as(const Walk& other) const {
  const auto alike = [](const auto& a, const auto& b) { return a.path == b.path && a.why == b.why; };
  return files == other.files && directories == other.directories &&
         std::equal(unreadable.begin(), unreadable.end(), other.unreadable.begin(), other.unreadable.end(), alike);
}

Result<Tree> Tree::open(const std::string& path) {
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  bool switched = is_link(AT_FDCWD, plain.c_str());
  Descriptor root = open_tree(AT_FDCWD, path.c_str());
  if (!root.open()) return fail(cannot_open(path, errno));
  if (is_link(root.get(), "..data")) {
    Descriptor data = open_tree(root.get(), "..data");
    if (!data.open()) return fail(cannot_open(path + "/..data", errno));
    root = std::move(data);
    switched = true;
  }
  // Opened for reading once, so that a missing right is told apart from an empty directory.
  const Descriptor readable(openat(root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (!readable.open() || fstat(readable.get(), &status) != 0) return fail(cannot_open(path, errno));
  return Tree(std::move(root), switched, fmt::format("{}:{}", status.st_dev, status.st_ino));
}

Result<Walk> Tree::walk(const std::string& folder) const { return Walker(root_.get()).run(folder); }

Result<Stamp> Tree::stat(const std::string& path) const {
  const Descriptor file = open_beneath(root_.get(), path, O_PATH);
  struct stat status{};
  if (!file.open() || fstat(file.get(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return fail(ErrorCode::not_found, fmt::format("{} does not exist", graft::quote(path)));
    return fail(ErrorCode::invalid, fmt::format("{} cannot be opened: {}", graft::quote(path), reason(errno)));
  }
  if (S_ISREG(status.st_mode)) return stamp_of(path, status);
  return fail(ErrorCode::invalid, fmt::format("{} is {}, not a file", graft::quote(path),
                                              S_ISDIR(status.st_mode) ? "a folder" : special(status.st_mode)));
}

Result<std::string> Tree::read(const Stamp& stamp) const {
  const auto moved = [&] {
    return fail(Error(ErrorCode::unavailable, fmt::format("{} is being written", graft::quote(stamp.path))).retry());
  };
  const Descriptor file = open_beneath(root_.get(), stamp.path, O_RDONLY);
  if (!file.open() && errno == ENOENT) return moved();
  if (!file.open()) {
    return fail(ErrorCode::io, fmt::format("cannot be read by uid {}: {}", geteuid(), reason(errno)));
  }
  struct stat status{};
  if (fstat(file.get(), &status) != 0 || stamp_of(stamp.path, status) != stamp) return moved();
  std::string text(stamp.size + 1, '\0');  // one more, to see that there is no more
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::io, fmt::format("cannot be read: {}", reason(errno)));
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  if (filled != stamp.size) return moved();
  text.resize(filled);
  return text;
}

}  // namespace graft::source
