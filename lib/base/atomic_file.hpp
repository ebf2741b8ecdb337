// Small files, written so that a reader or a power cut sees the old content or the new, whole, and read with care.
//
// Writing: a temp file in the same folder (O_EXCL, no links, 0600), owner and mode set before any content, fsync,
// rename, fsync of the folder. The temp file is removed on every failure. A crash may leave one behind; its name tells
// whose it is, and remove_leftovers() takes it away. A failed fsync is never repeated on the same file (the kernel may
// have dropped the data): the next attempt begins with a new one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/directory.hpp"
#include "base/result.hpp"

namespace graft {

struct FileOptions {
  unsigned mode = 0600;
  std::optional<uid_t> uid;  // empty: ours
  std::optional<gid_t> gid;
};

// Replaces or makes the file `name` in the folder. Anything but a regular file in its place is refused.
[[nodiscard]] Status write_file_atomically(const Directory& folder, const std::string& name, std::string_view content,
                                           const FileOptions& options);

// Proves that such a write can succeed: makes, fills and removes a temp file of `size` bytes.
[[nodiscard]] Status rehearse_write(const Directory& folder, const std::string& name, std::size_t size,
                                    const FileOptions& options);

// Removes temp files that crashed writes of `name` have left; nothing else.
[[nodiscard]] Status remove_leftovers(const Directory& folder, const std::string& name);
// ".<name>.graftd-tmp-<16 hex digits>"
[[nodiscard]] bool is_leftover_of(std::string_view entry, std::string_view name);

// The whole file, opened without following a link in its place and without waiting for anybody (FIFO).
// ErrorCode::not_found: nothing there. ErrorCode::invalid: no regular file, or larger than the limit. ErrorCode::io: it
// cannot be known.
[[nodiscard]] Result<std::string> read_small_file(const Directory& folder, const std::string& name, std::size_t limit);
// By path; links are followed (a Kubernetes volume is made of them).
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace graft
