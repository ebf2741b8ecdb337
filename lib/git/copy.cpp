#include "git/copy.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <stdio.h>  // renameat2
#include <sys/file.h>
#include <thread>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "git/remote.hpp"

namespace graft::git {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_packs = 40;
constexpr std::size_t commit_file_bytes = 128;

std::string name_of(const std::string& directory) { return fs::path(directory).filename().string(); }

Result<Descriptor> lock(const std::string& path, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds pause{50};
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.open()) return fail(io_error("write", path, errno));
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR && errno != EWOULDBLOCK) return fail(io_error("lock", path, errno));
    if (std::chrono::steady_clock::now() >= until)
      return fail(Error(ErrorCode::blocked, fmt::format("another graftd is fetching into {}", path)).retry());
    std::this_thread::sleep_for(pause);
  }
  return file;
}

// A fetch that was killed leaves its half of a pack under a name of its own, and locks that nobody will release.
void sweep(const fs::path& repository) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(repository / "objects" / "pack", ignored)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".pack" && extension != ".idx") fs::remove(entry.path(), ignored);
  }
  for (const char* left : {"refs/graftd/tip.lock", "packed-refs.lock", "config.lock", "HEAD.lock"})
    fs::remove(repository / left, ignored);
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

Result<RepositoryHandle> make_bare(const std::string& path) {
  remove_all(path);
  int code = 0;
  auto repository = made<RepositoryHandle>(code, git_repository_init, path.c_str(), 1U);
  if (repository == nullptr) {
    Error error = git_failure(code, fmt::format("cannot make the copy {}", path));
    error.code = ErrorCode::io;
    return fail(std::move(error));
  }
  return repository;
}

RepositoryHandle open_bare(const std::string& path) {
  int code = 0;
  return made<RepositoryHandle>(code, git_repository_open_bare, path.c_str());
}

bool holds(const std::string& path, const git_oid& commit) {
  const auto repository = open_bare(path);
  return repository != nullptr && has_object(repository.get(), commit);
}

std::optional<git_oid> read_accepted(const Directory& parent, const std::string& name) {
  const Result<std::string> text = read_small_file(parent, name + ".commit", commit_file_bytes);
  if (!text) return std::nullopt;
  const std::string id(trim(*text));
  git_oid commit{};
  if (!is_commit_id(id) || git_oid_fromstr(&commit, id.c_str()) != 0) return std::nullopt;
  return commit;
}

bool swap_folders(const std::string& one, const std::string& other) {
  return ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0;
}

// What was fetched last can be read: an interrupted machine may have left files without their content.
bool tip_is_sound(git_repository* repository) {
  int code = 0;
  const auto tip = made<ReferenceHandle>(code, git_reference_lookup, repository, tip_ref);
  if (tip == nullptr) return code == GIT_ENOTFOUND;
  const git_oid* id = git_reference_target(tip.get());
  return id != nullptr && has_object(repository, *id);
}

}  // namespace

Result<Copy> Copy::open(const std::string& directory, std::chrono::milliseconds patience) {
  Result<Directory> parent = Directory::open_or_make(fs::path(directory).parent_path().string(), 0700);
  if (!parent) return fail(std::move(parent.error()));
  Result<Descriptor> locked = lock(directory + ".lock", patience);
  if (!locked) return fail(std::move(locked.error()));
  const std::optional<git_oid> accepted = read_accepted(*parent, name_of(directory));
  const std::string successor = directory + ".new";
  // Ended between accepting what the successor holds and taking it into use.
  if (accepted && !holds(directory, *accepted) && holds(successor, *accepted) && !swap_folders(successor, directory)) {
    std::error_code failed;  // then the next fetch brings it again
    fs::rename(successor, directory, failed);
  }
  remove_all(successor);
  sweep(directory);
  auto repository = open_bare(directory);
  const bool useful = repository != nullptr && accepted && has_object(repository.get(), *accepted);
  if (repository != nullptr && !tip_is_sound(repository.get())) {
    if (useful) {
      (void)git_reference_remove(repository.get(), tip_ref);  // it is fetched again
    } else {
      repository.reset();
    }
  }
  if (repository == nullptr) {
    Result<RepositoryHandle> fresh = make_bare(directory);
    if (!fresh) return fail(std::move(fresh.error()));
    repository = std::move(*fresh);
  }
  Copy copy(directory, std::move(*parent), std::move(*locked), std::move(repository));
  copy.accepted_ = accepted;
  return copy;
}

Status Copy::accept(const git_oid& commit) {
  if (accepted_ && git_oid_equal(&*accepted_, &commit) != 0) return {};
  Status written = write_file_atomically(parent_, name_of(directory_) + ".commit", to_hex(commit) + "\n", {});
  if (written) accepted_ = commit;
  return written;
}

bool Copy::worn(std::uint64_t size_limit) const {
  std::error_code ignored;
  std::uint64_t bytes = 0;
  std::size_t packs = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(directory_) / "objects" / "pack", ignored)) {
    packs += entry.path().extension() == ".pack" ? 1U : 0U;
    const std::uintmax_t size = entry.file_size(ignored);
    bytes += ignored ? 0 : size;
  }
  return packs > most_packs || (packs > 1 && bytes > size_limit + size_limit / 2);
}

Result<RepositoryHandle> Copy::make_successor() const { return make_bare(directory_ + ".new"); }

Status Copy::replace_by(RepositoryHandle successor) {
  successor.reset();  // its files are mapped as long as it is open
  repository_.reset();
  const std::string name = directory_ + ".new";
  if (!swap_folders(name, directory_)) return fail(io_error("replace", directory_, errno));
  (void)parent_.sync();
  remove_all(name);
  repository_ = open_bare(directory_);
  if (repository_ == nullptr) return fail(io_error("open", directory_, EIO));
  return {};
}

void Copy::drop_successor() const { remove_all(directory_ + ".new"); }

}  // namespace graft::git
