#include "source/memory_files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::source {

namespace {

using manifest::Files;

bool below(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

Error not_there(std::string_view path) {
  return Error(ErrorCode::not_found, fmt::format("{} is not in the manifest tree", graft::quote(path)))
      .with_hint("only .yaml, .yml and .json files are read, and none in or under a name that begins with a dot");
}

std::string digest(const Content& content) {
  std::string text;
  for (const auto& [path, bytes] : content.texts) text += fmt::format("{}\n{}\n", path, sha256_hex(bytes));
  return "sha256:" + sha256_hex(text).substr(0, 32);
}

class MemoryFiles final : public Files {
 public:
  MemoryFiles(std::string shown, std::string revision, Content content)
      : shown_(std::move(shown)),
        revision_(revision.empty() ? digest(content) : std::move(revision)),
        content_(std::move(content)) {}

  [[nodiscard]] Result<std::vector<Entry>> list(std::string_view folder) const override {
    if (!folder.empty() && !is_directory(folder)) {
      return fail(ErrorCode::not_found,
                  fmt::format("there is no folder {} in the manifest tree", graft::quote(folder)));
    }
    std::vector<Entry> out;
    for (const Entry& file : content_.files) {
      if (below(file.path, folder)) out.push_back(file);
    }
    return out;
  }

  [[nodiscard]] Result<std::string> read(std::string_view path, std::size_t limit) const override {
    if (leaves_tree(path))
      return fail(ErrorCode::invalid, fmt::format("{} leaves the manifest tree", graft::quote(path)));
    for (const Unreadable& entry : content_.unreadable) {
      if (entry.path == path) return fail(ErrorCode::invalid, fmt::format("{} {}", graft::quote(path), entry.why));
    }
    const auto listed = std::ranges::lower_bound(content_.files, path, {}, &Entry::path);
    if (listed == content_.files.end() || listed->path != path) return fail(missing(path));
    if (listed->size > limit) return fail(too_large(path, limit));
    const auto text = content_.texts.find(path);
    if (text == content_.texts.end()) return fail(too_large(path, limit_of(path)));
    return text->second;
  }

  [[nodiscard]] std::string revision() const override { return revision_; }
  [[nodiscard]] std::string display(std::string_view path) const override { return joined(shown_, path); }
  [[nodiscard]] std::vector<Unreadable> unreadable() const override { return content_.unreadable; }

 private:
  [[nodiscard]] bool is_directory(std::string_view path) const {
    return std::binary_search(content_.directories.begin(), content_.directories.end(), path);
  }
  [[nodiscard]] Error missing(std::string_view path) const {
    if (is_directory(path))
      return Error(ErrorCode::invalid, fmt::format("{} is a folder, not a file", graft::quote(path)));
    return not_there(path);
  }

  std::string shown_, revision_;
  Content content_;
};

}  // namespace

bool may_be_manifest(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

std::size_t limit_of(std::string_view path) {
  return path.ends_with(".json") ? manifest::limits::dashboard_bytes : manifest::limits::manifest_bytes;
}

Error too_large(std::string_view path, std::size_t limit) {
  return Error(ErrorCode::invalid, fmt::format("{} is larger than {} MiB", graft::quote(path), limit >> 20U));
}

Error tree_too_large() {
  return Error(ErrorCode::invalid,
               fmt::format("the manifest tree is larger than {} MiB", manifest::limits::tree_bytes >> 20U))
      .with_hint("split it between several daemons, or move what is no manifest out of it");
}

Error too_many_entries() {
  return Error(ErrorCode::invalid, fmt::format("more than {} files and folders", most_entries))
      .with_hint("is this really the manifest directory?");
}

bool leaves_tree(std::string_view path) {
  const std::string slashed = fmt::format("/{}/", path);
  return path.starts_with('/') || slashed.find("/../") != slashed.npos;
}

std::string joined(std::string_view folder, std::string_view path) {
  if (folder.empty() || path.empty()) return std::string(path.empty() ? folder : path);
  return folder.ends_with('/') ? fmt::format("{}{}", folder, path) : fmt::format("{}/{}", folder, path);
}

std::unique_ptr<Files> make_memory_files(std::string shown, std::string revision, Content content) {
  return std::make_unique<MemoryFiles>(std::move(shown), std::move(revision), std::move(content));
}

}  // namespace graft::source
