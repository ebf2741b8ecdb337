#include "source/directory_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <time.h>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "source/memory_files.hpp"
#include "source/tree.hpp"

namespace graft::source {

namespace {

using manifest::Files;
using std::chrono::milliseconds;

// One manifest file, and what lies round it when it is named. Read when asked for: `check` of a single file must not
// read a whole home directory, and nothing is applied from it.
class SingleFile final : public Files {
 public:
  SingleFile(std::string folder, Tree tree, Stamp file, std::string text)
      : folder_(std::move(folder)), tree_(std::move(tree)), file_(std::move(file)), text_(std::move(text)) {}

  [[nodiscard]] Result<std::vector<Entry>> list(std::string_view folder) const override {
    if (folder.empty()) return std::vector<Entry>{{file_.path, file_.size}};
    const Result<Walk> walk = tree_.walk(std::string(folder));
    if (!walk) return fail(walk.error());
    std::vector<Entry> out;
    for (const Stamp& file : walk->files) out.push_back({file.path, file.size});
    return out;
  }
  [[nodiscard]] Result<std::string> read(std::string_view path, std::size_t limit) const override {
    if (leaves_tree(path))
      return fail(ErrorCode::invalid, fmt::format("{} leaves the manifest tree", graft::quote(path)));
    const Result<Stamp> stamp = path == file_.path ? Result<Stamp>(file_) : tree_.stat(std::string(path));
    if (!stamp) return fail(stamp.error());
    if (stamp->size > limit) return fail(too_large(path, limit));
    return path == file_.path ? Result<std::string>(text_) : tree_.read(*stamp);
  }
  [[nodiscard]] std::string revision() const override { return "sha256:" + sha256_hex(text_).substr(0, 32); }
  [[nodiscard]] std::string display(std::string_view path) const override {
    return folder_ == "." && !path.empty() ? std::string(path) : joined(folder_, path);
  }

 private:
  std::string folder_;
  Tree tree_;
  Stamp file_;
  std::string text_;
};

// How long the tree has not changed, by the clock that stamps files. A stamp in the future (another host's clock) does
// not hold us up.
milliseconds age_of(const Walk& walk) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t elapsed = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec - walk.newest;
  return elapsed < 0 ? milliseconds::max() : milliseconds(elapsed / 1'000'000);
}

Result<std::map<std::string, std::string, std::less<>>> read_all(const Tree& tree, Walk& walk) {
  std::map<std::string, std::string, std::less<>> texts;
  std::size_t total = 0;
  for (const Stamp& file : walk.files) {
    if (file.size > limit_of(file.path)) continue;  // reported when it is asked for
    total += file.size;
    if (total > manifest::limits::tree_bytes) return fail(tree_too_large());
    Result<std::string> text = tree.read(file);
    if (text) {
      texts.emplace(file.path, std::move(*text));
    } else if (text.error().code == ErrorCode::io) {
      walk.unreadable.push_back({file.path, text.error().message});
    } else {
      return fail(text.error());
    }
  }
  return texts;
}

// One attempt. Null: the tree is being written.
Result<std::unique_ptr<Files>> attempt(const std::string& path, const Settle& settle) {
  Result<Tree> tree = Tree::open(path);
  if (!tree) return fail(tree.error());
  Result<Walk> before = tree->walk();
  if (!before) return fail(before.error());
  if (!tree->switched() && age_of(*before) < settle.quiet) return nullptr;
  // A tree that another has taken the place of is being removed, and perhaps was when we walked through it.
  const Result<Tree> now = Tree::open(path);
  if (!now) return fail(now.error());
  if (now->identity() != tree->identity()) return nullptr;
  Walk kept = *before;
  auto texts = read_all(*tree, kept);
  if (!texts && texts.error().code == ErrorCode::unavailable) return nullptr;
  if (!texts) return fail(texts.error());
  const Result<Walk> after = tree->walk();
  if (!after) return fail(after.error());
  if (!after->same_as(*before)) return nullptr;
  std::erase_if(kept.files, [&](const Stamp& file) {
    return std::any_of(kept.unreadable.begin(), kept.unreadable.end(),
                       [&](const auto& u) { return u.path == file.path; });
  });
  Content content;
  for (const Stamp& file : kept.files) content.files.push_back({file.path, file.size});
  content.directories = std::move(kept.directories);
  content.unreadable = std::move(kept.unreadable);
  content.texts = std::move(*texts);
  return make_memory_files(path, {}, std::move(content));
}

Result<std::unique_ptr<Files>> single_file(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  Result<Tree> tree = Tree::open(folder);
  if (!tree) return fail(tree.error());
  const Result<Stamp> stamp = tree->stat(slash == path.npos ? path : path.substr(slash + 1));
  if (!stamp) return fail(stamp.error());
  if (!may_be_manifest(stamp->path)) {
    return fail(ErrorCode::invalid, fmt::format("{} is no .yaml, .yml or .json file", graft::quote(path)));
  }
  if (stamp->size > limit_of(stamp->path)) return fail(too_large(path, limit_of(stamp->path)));
  Result<std::string> text = tree->read(*stamp);
  if (!text) return fail(std::move(text.error()).context(path));
  return std::make_unique<SingleFile>(folder, std::move(*tree), *stamp, std::move(*text));
}

bool is_regular_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<std::unique_ptr<Files>> snapshot(const std::string& path, const Settle& settle) {
  if (is_regular_file(path)) return single_file(path);
  for (int count = 0; count < settle.attempts; ++count) {
    if (count > 0) {
      const milliseconds pause = std::max(settle.pause, settle.quiet / 2);
      settle.wait ? settle.wait(pause) : std::this_thread::sleep_for(pause);
    }
    Result<std::unique_ptr<Files>> files = attempt(path, settle);
    if (!files || *files != nullptr) return files;
  }
  return fail(
      Error(ErrorCode::unavailable, fmt::format("the manifest directory {} is still being written", graft::quote(path)))
          .with_hint("it is read again at the next cycle; switch a link to publish a whole tree at once")
          .retry());
}

Result<std::string> fingerprint(const std::string& path) {
  const Result<Tree> tree = Tree::open(path);
  if (!tree) return fail(tree.error());
  const Result<Walk> walk = tree->walk();
  if (!walk) return fail(walk.error());
  std::string text = tree->identity() + "\n";
  for (const Stamp& file : walk->files) {
    text +=
        fmt::format("{}\n{} {} {} {} {}\n", file.path, file.device, file.inode, file.size, file.modified, file.changed);
  }
  for (const std::string& folder : walk->directories) text += folder + "/\n";
  for (const Files::Unreadable& entry : walk->unreadable) text += fmt::format("{}\n{}\n", entry.path, entry.why);
  return sha256_hex(text);
}

}  // namespace graft::source
