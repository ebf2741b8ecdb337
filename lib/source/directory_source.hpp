// A directory on disk as a source of manifests: one consistent revision of it, held in memory, or a cheap fingerprint
// to see whether it has changed. Blocking; the daemon calls it off its loop.
//
// One revision (reliability T31):
//  - The configured path is resolved once per pass to the real directory, which then stays open: a link that is
//  switched
//    meanwhile (git-sync's) cannot mix two trees. A directory that has a `..data` link in it (a Kubernetes ConfigMap or
//    Secret volume) is read through that link.
//  - Everything that matters (.yaml, .yml, .json) is read between two walks that must agree in names, sizes, inodes and
//    times. A tree not reached through a link must also have been quiet for a moment. Else: tried again, and after some
//    attempts ErrorCode::unavailable, retryable.
//
// What belongs to the tree (T35): regular files and directories whose names do not begin with a dot. Links are followed
// when they lead to something in the same tree by a relative path; the kernel guarantees that (openat2,
// RESOLVE_BENEATH). Links that leave the tree or lead nowhere, and FIFOs, sockets and devices under a manifest's name,
// are reported by Files::unreadable and never opened. Without openat2 (Linux before 5.6) no link is followed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::source {

struct Settle {
  std::chrono::milliseconds quiet{200};  // nothing written for so long
  std::chrono::milliseconds pause{50};   // between two attempts
  int attempts = 12;
  std::function<void(std::chrono::milliseconds)> wait;  // how to wait; unset: sleep
};

// ErrorCode::io when the directory is missing or may not be read, invalid when it is larger than manifests may be,
// unavailable (retryable) when it is still being written. `path` may also be one manifest file: then that file alone is
// listed, and what it names is found beside it.
[[nodiscard]] Result<std::unique_ptr<manifest::Files>> snapshot(const std::string& path, const Settle& settle = {});

// Changes whenever a snapshot might; reads names and times only. For polling.
[[nodiscard]] Result<std::string> fingerprint(const std::string& path);

}  // namespace graft::source
