#include "git/copy.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "git/remote.hpp"

namespace graft::git {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_packs = 40;
constexpr std::size_t commit_file_bytes = 128;

std::string name_of(const std::string& directory) { return fs::path(directory).filename().string(); }

Result<Descriptor> lock(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.open()) return fail(io_error("write", path, errno));
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail(io_error("lock", path, errno));
  return file;
}

// A fetch that was killed leaves its half of a pack under a name of its own.
void sweep(const fs::path& repository) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(repository / "objects" / "pack", ignored)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".pack" && extension != ".idx") fs::remove(entry.path(), ignored);
  }
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

// What was fetched last can be read: an interrupted machine may have left files without their content.
bool is_sound(git_repository* repository) {
  int code = 0;
  const auto tip = made<ReferenceHandle>(code, git_reference_lookup, repository, tip_ref);
  if (tip == nullptr) return code == GIT_ENOTFOUND;
  const git_oid* id = git_reference_target(tip.get());
  return id != nullptr && has_object(repository, *id);
}

}  // namespace

Result<Copy> Copy::open(const std::string& directory) {
  Result<Directory> parent = Directory::open_or_make(fs::path(directory).parent_path().string(), 0700);
  if (!parent) return fail(std::move(parent.error()));
  Result<Descriptor> locked = lock(directory + ".lock");
  if (!locked) return fail(std::move(locked.error()));
  remove_all(directory + ".new");
  sweep(directory);
  int code = 0;
  auto repository = made<RepositoryHandle>(code, git_repository_open_bare, directory.c_str());
  if (repository == nullptr) {
    Result<RepositoryHandle> fresh = make_bare(directory);
    if (!fresh) return fail(std::move(fresh.error()));
    repository = std::move(*fresh);
  }
  Copy copy(directory, std::move(*parent), std::move(*locked), std::move(repository));
  copy.read_accepted();
  if (!is_sound(copy.repository_.get())) {
    copy.repository_.reset();
    Result<RepositoryHandle> fresh = make_bare(directory);
    if (!fresh) return fail(std::move(fresh.error()));
    copy.repository_ = std::move(*fresh);
  }
  return copy;
}

void Copy::read_accepted() {
  const Result<std::string> text = read_small_file(parent_, name_of(directory_) + ".commit", commit_file_bytes);
  if (!text) return;
  const std::string id(trim(*text));
  git_oid commit{};
  if (is_commit_id(id) && git_oid_fromstr(&commit, id.c_str()) == 0) accepted_ = commit;
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
  return packs > most_packs || bytes > size_limit;
}

Result<RepositoryHandle> Copy::make_successor() const { return make_bare(directory_ + ".new"); }

Status Copy::replace_by(RepositoryHandle successor) {
  successor.reset();  // its files are mapped as long as it is open
  repository_.reset();
  remove_all(directory_);
  std::error_code failed;
  fs::rename(directory_ + ".new", directory_, failed);
  int code = 0;
  if (!failed) repository_ = made<RepositoryHandle>(code, git_repository_open_bare, directory_.c_str());
  if (repository_ == nullptr) return fail(io_error("replace", directory_, failed ? failed.value() : EIO));
  return {};
}

void Copy::drop_successor() const { remove_all(directory_ + ".new"); }

}  // namespace graft::git
