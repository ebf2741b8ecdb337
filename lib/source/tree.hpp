// The tree below one open directory: walking it and reading from it without ever leaving it. For directory_source.cpp.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/directory.hpp"
#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::source {

// A file, as far as it tells that its content is another: two stamps that are equal mean the same bytes.
struct Stamp {
  std::string path;  // relative to the tree
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  // nanoseconds since 1970
  auto operator<=>(const Stamp&) const = default;
};

struct Walk {
  std::vector<Stamp> files;              // that may matter, sorted by path
  std::vector<std::string> directories;  // sorted; without the root
  std::vector<manifest::Files::Unreadable> unreadable;
  std::int64_t newest = 0;  // the latest change of any of them
  [[nodiscard]] bool same_as(const Walk& other) const;
};

class Tree {
 public:
  // Resolves links in `path`, and a `..data` link in the directory that it names.
  [[nodiscard]] static Result<Tree> open(const std::string& path);

  // Everything below `folder` ("" for all). ErrorCode::invalid when there is too much of it.
  [[nodiscard]] Result<Walk> walk(const std::string& folder = {}) const;
  // The file's bytes. ErrorCode::unavailable when it is not the file of the stamp any more.
  [[nodiscard]] Result<std::string> read(const Stamp& stamp) const;
  // ErrorCode::not_found, or invalid when it is outside or no regular file.
  [[nodiscard]] Result<Stamp> stat(const std::string& path) const;

  // Reached through a link that is switched when a new tree is complete: no need to wait until it is quiet.
  [[nodiscard]] bool switched() const { return switched_; }
  [[nodiscard]] const std::string& identity() const { return identity_; }  // of the real directory

 private:
  Tree(Descriptor root, bool switched, std::string identity)
      : root_(std::move(root)), switched_(switched), identity_(std::move(identity)) {}
  Descriptor root_;
  bool switched_ = false;
  std::string identity_;
};

}  // namespace graft::source
