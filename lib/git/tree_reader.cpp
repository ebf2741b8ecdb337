#include "git/tree_reader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace graft::git {

namespace {

using source::Content;

constexpr int most_links = 16;  // one behind the other
constexpr std::size_t longest_link = 4096;
constexpr std::string_view lfs_pointer = "version https://git-lfs.github.com/spec/";

// "a/b/../c" from "a/b" and "../c"; none when it leaves the tree.
std::optional<std::string> followed(std::string_view folder, std::string_view target) {
  if (target.empty() || target.starts_with('/') || target.find('\0') != target.npos) return std::nullopt;
  std::vector<std::string_view> steps;
  const std::string whole = source::joined(folder, target);
  for (std::size_t at = 0; at <= whole.size();) {
    const std::size_t end = std::min(whole.find('/', at), whole.size());
    const std::string_view step = std::string_view(whole).substr(at, end - at);
    at = end + 1;
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      steps.push_back(step);
    } else if (steps.empty()) {
      return std::nullopt;
    } else {
      steps.pop_back();
    }
  }
  std::string path;
  for (const std::string_view step : steps) path = source::joined(path, step);
  return path;
}

// ErrorCode::io: the copy lacks what it should hold.
Error unreadable_copy(int code, const std::string& what) {
  Error error = git_failure(code, fmt::format("cannot read {} from the copy of the repository", what));
  error.code = ErrorCode::io;
  return error;
}

class Reader {
 public:
  Reader(git_repository* copy, git_tree* root) : copy_(copy), root_(root) {}

  Result<Content> run() {
    folder(root_, "", "");
    if (problem_) return fail(std::move(*problem_));
    std::ranges::sort(content_.files, {}, &manifest::Files::Entry::path);
    std::ranges::sort(content_.directories);
    std::ranges::sort(content_.unreadable, {}, &manifest::Files::Unreadable::path);
    return std::move(content_);
  }

 private:
  // `shown` is its path as a manifest would name it; `real` where it lies, which differs behind a link.
  void folder(git_tree* tree, const std::string& shown, const std::string& real) {
    if (above_.size() == source::deepest)
      return unreadable(shown, fmt::format("lies deeper than {} folders", source::deepest));
    const git_oid id = *git_tree_id(tree);
    if (std::ranges::any_of(above_, [&](const git_oid& each) { return git_oid_equal(&each, &id) != 0; }))
      return unreadable(shown, "is a link to a folder round itself");
    above_.push_back(id);
    const std::size_t count = git_tree_entrycount(tree);
    for (std::size_t i = 0; i < count && !problem_; ++i) {
      const git_tree_entry* each = git_tree_entry_byindex(tree, i);
      const std::string_view name = git_tree_entry_name(each);
      if (name.starts_with('.')) continue;
      if (++seen_ > source::most_entries) problem_ = source::too_many_entries();
      entry(each, source::joined(shown, name), source::joined(real, name));
    }
    above_.pop_back();
  }

  void entry(const git_tree_entry* entry, const std::string& shown, const std::string& real) {
    const std::string_view name = git_tree_entry_name(entry);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (invalid_utf8(name) || has_control_characters(name)) {
      const bool file = mode != GIT_FILEMODE_TREE && mode != GIT_FILEMODE_LINK && mode != GIT_FILEMODE_COMMIT;
      if (!file || source::may_be_manifest(name))
        unreadable(printable(shown), "has a name with control characters or broken UTF-8");
      return;
    }
    if (mode == GIT_FILEMODE_LINK) return link(entry, shown, real);
    if (mode == GIT_FILEMODE_COMMIT)
      return unreadable(shown, "is a submodule, and those are never fetched: keep its manifests in this repository");
    if (mode == GIT_FILEMODE_TREE) return sub_folder(entry, shown, real);
    if (source::may_be_manifest(name)) file(entry, shown);
  }

  void sub_folder(const git_tree_entry* entry, const std::string& shown, const std::string& real) {
    int code = 0;
    const auto tree = made<TreeHandle>(code, git_tree_lookup, copy_, git_tree_entry_id(entry));
    if (tree == nullptr) return broken(code, shown);
    content_.directories.push_back(shown);
    folder(tree.get(), shown, real);
  }

  void file(const git_tree_entry* entry, const std::string& shown) {
    std::uint64_t size = 0;
    if (!size_of(entry, shown, size)) return;
    if (size > source::limit_of(shown)) {
      content_.files.push_back({shown, size});  // reported when it is asked for
      return;
    }
    total_ += size;
    if (total_ > manifest::limits::tree_bytes) {
      problem_ = source::tree_too_large();
      return;
    }
    std::string text;
    if (!read(entry, shown, text)) return;
    if (text.starts_with(lfs_pointer))
      return unreadable(shown, "is a Git LFS pointer: graftd fetches nothing from there; keep the file itself in git");
    content_.files.push_back({shown, size});
    content_.texts.emplace(shown, std::move(text));
  }

  // Read from the header of the object: a large one is not unpacked to learn that.
  bool size_of(const git_tree_entry* entry, const std::string& shown, std::uint64_t& size) {
    git_odb* odb = nullptr;
    std::size_t length = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    int code = git_repository_odb(&odb, copy_);
    if (code == 0) code = git_odb_read_header(&length, &type, odb, git_tree_entry_id(entry));
    git_odb_free(odb);
    if (code != 0 || type != GIT_OBJECT_BLOB) {
      broken(code, shown);
      return false;
    }
    size = length;
    return true;
  }

  bool read(const git_tree_entry* entry, const std::string& shown, std::string& text) {
    int code = 0;
    const auto blob = made<BlobHandle>(code, git_blob_lookup, copy_, git_tree_entry_id(entry));
    if (blob == nullptr) {
      broken(code, shown);
      return false;
    }
    text.assign(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                static_cast<std::size_t>(git_blob_rawsize(blob.get())));
    return true;
  }

  // Followed by names alone: what it leads to is looked up in this commit, never on a disk.
  void link(const git_tree_entry* entry, const std::string& shown, const std::string& real) {
    std::string path = real, target;
    EntryHandle found;
    const git_tree_entry* at = entry;
    for (int count = 0; git_tree_entry_filemode(at) == GIT_FILEMODE_LINK; ++count) {
      std::uint64_t size = 0;
      if (!size_of(at, shown, size)) return;
      if (count == most_links || size > longest_link) return unreadable(shown, "is a link that cannot be followed");
      if (!read(at, shown, target)) return;
      const std::size_t slash = path.rfind('/');
      const auto next = followed(slash == path.npos ? "" : path.substr(0, slash), target);
      if (!next) return unreadable(shown, "is a link that leaves the manifest tree (or is absolute)");
      if (next->empty()) return unreadable(shown, "is a link to a folder round itself");
      int code = 0;
      auto entry_there = made<EntryHandle>(code, git_tree_entry_bypath, root_, next->c_str());
      if (entry_there == nullptr) return unreadable(shown, "is a link to nothing");
      found = std::move(entry_there);
      at = found.get();
      path = *next;
    }
    const git_filemode_t mode = git_tree_entry_filemode(at);
    if (mode == GIT_FILEMODE_TREE) return sub_folder(at, shown, path);
    if (mode == GIT_FILEMODE_COMMIT) return unreadable(shown, "is a link to a submodule, and those are never fetched");
    if (source::may_be_manifest(shown)) file(at, shown);
  }

  void unreadable(std::string path, std::string why) {
    content_.unreadable.push_back({std::move(path), std::move(why)});
  }
  void broken(int code, const std::string& shown) { problem_ = unreadable_copy(code, quote(shown)); }

  git_repository* copy_;
  git_tree* root_;
  Content content_;
  std::vector<git_oid> above_;  // the folders round the current one
  std::size_t seen_ = 0;
  std::uint64_t total_ = 0;
  std::optional<Error> problem_;
};

std::string without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path == "." ? "" : path);
}

}  // namespace

Result<Content> read_tree(git_repository* copy, const git_oid& commit, const std::string& path) {
  int code = 0;
  const auto object = made<CommitHandle>(code, git_commit_lookup, copy, &commit);
  if (object == nullptr) return fail(unreadable_copy(code, "commit " + to_hex(commit)));
  auto tree = made<TreeHandle>(code, git_commit_tree, object.get());
  if (tree == nullptr) return fail(unreadable_copy(code, "commit " + to_hex(commit)));
  if (const std::string folder = without_slashes(path); !folder.empty()) {
    const auto entry = made<EntryHandle>(code, git_tree_entry_bypath, tree.get(), folder.c_str());
    if (entry == nullptr || git_tree_entry_type(entry.get()) != GIT_OBJECT_TREE)
      return fail(Error(ErrorCode::not_found, fmt::format("commit {} has no folder {}", to_hex(commit), quote(folder)))
                      .with_hint("see manifests.git.path"));
    auto below = made<TreeHandle>(code, git_tree_lookup, copy, git_tree_entry_id(entry.get()));
    if (below == nullptr) return fail(unreadable_copy(code, "folder " + quote(folder)));
    tree = std::move(below);
  }
  return Reader(copy, tree.get()).run();
}

}  // namespace graft::git
