// One revision of the manifests in memory: what every source makes of what it has read. Immutable; any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/decoder.hpp"

namespace graft::source {

// What was found. Paths are relative to the root of the manifests.
struct Content {
  std::vector<manifest::Files::Entry> files;  // that may matter, sorted by path; also those too large to be read
  std::vector<std::string> directories;       // sorted; without the root
  std::vector<manifest::Files::Unreadable> unreadable;
  std::map<std::string, std::string, std::less<>> texts;  // by path; a file without one was too large to be read
};

// Whether a file of this name is read at all (.yaml, .yml, .json).
[[nodiscard]] bool may_be_manifest(std::string_view name);

// How many bytes of it are read; a larger one is reported when it is asked for.
[[nodiscard]] std::size_t limit_of(std::string_view path);
[[nodiscard]] Error too_large(std::string_view path, std::size_t limit);
[[nodiscard]] Error tree_too_large();
[[nodiscard]] Error too_many_entries();

inline constexpr std::size_t most_entries = 200'000;  // files and folders
inline constexpr std::size_t deepest = 32;            // folders in one another

// "/a/b.yaml" leaves every tree, and so does "a/../../b.yaml" (any "..": nothing is gained by following it).
[[nodiscard]] bool leaves_tree(std::string_view path);
[[nodiscard]] std::string joined(std::string_view folder, std::string_view path);

// `shown` stands before a path when a person is told of it; "" for nothing. An empty `revision`: a digest of the texts.
[[nodiscard]] std::unique_ptr<manifest::Files> make_memory_files(std::string shown, std::string revision,
                                                                 Content content);

}  // namespace graft::source
