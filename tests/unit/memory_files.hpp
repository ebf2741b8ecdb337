// Files held in memory, for tests of everything that reads manifests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest/decoder.hpp"

namespace graft::test {

class MemoryFiles final : public manifest::Files {
 public:
  MemoryFiles() = default;
  explicit MemoryFiles(std::map<std::string, std::string, std::less<>> files) : files_(std::move(files)) {}
  static MemoryFiles one(std::string text, std::string path = "m.yaml") {
    MemoryFiles files;
    files.files_.emplace(std::move(path), std::move(text));
    return files;
  }

  [[nodiscard]] Result<std::vector<Entry>> list(std::string_view folder) const override {
    std::vector<Entry> out;
    for (const auto& [path, text] : files_) {
      const bool inside = folder.empty() || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
      if (inside) out.push_back({path, text.size()});
    }
    if (out.empty() && !folder.empty()) return fail(ErrorCode::not_found, "no folder " + std::string(folder));
    return out;
  }
  [[nodiscard]] Result<std::string> read(std::string_view path, std::size_t limit) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return fail(ErrorCode::not_found, "there is no file " + std::string(path));
    if (found->second.size() > limit) return fail(ErrorCode::invalid, std::string(path) + " is too large");
    return found->second;
  }
  [[nodiscard]] std::string revision() const override { return "memory"; }
  [[nodiscard]] std::string display(std::string_view path) const override { return std::string(path); }
  [[nodiscard]] std::vector<Unreadable> unreadable() const override { return unreadable_; }

  std::vector<Unreadable> unreadable_;

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

}  // namespace graft::test
