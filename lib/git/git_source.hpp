// A git repository as a source of manifests: a thread of its own has it fetched at every poll interval, and holds the
// last revision that was found good and why nothing newer is. What is in force survives a restart, a server that is
// away, and a repository that turned hostile.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "git/child.hpp"
#include "git/job.hpp"

namespace graft::git {

struct GitSourceOptions {
  Repository repository;
  std::string state_directory;  // the copies lie in its folder "git"
  std::chrono::seconds poll_interval{0};
  bool accept = true;             // false: look only (Job::accept), until take_into_use()
  bool remember = false;          // what was in force when the last process ended is there at once
  bool fetch = true;              // false: what is in force already
  bool poll = true;               // false: once, and when asked
  std::function<void()> on_news;  // called by the thread when something has changed; may be empty
};

class GitSource {
 public:
  explicit GitSource(GitSourceOptions options);
  ~GitSource();  // ends a fetch under way
  GitSource(const GitSource&) = delete;
  GitSource& operator=(const GitSource&) = delete;

  struct Seen {
    std::shared_ptr<const manifest::Files> files;   // the newest that was had; null: nothing ever was
    std::shared_ptr<const manifest::Files> before;  // what was in force when this began; null: nothing was
    std::optional<Error> problem;                   // why nothing newer is in force
    std::uint64_t version = 0;                      // rises with every change of the two
  };
  // All of it from any thread.
  [[nodiscard]] Seen seen() const;
  void take_into_use();                // what comes from now on is accepted
  void ask();                          // fetch now, without waiting for the interval
  [[nodiscard]] bool settled() const;  // no fetch that was asked for is still to end; false until the first has ended
  void wait_until_settled() const;
  [[nodiscard]] const GitSourceOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where the copy lies: one a repository and ref, so that another ref begins without a history to compare with.
[[nodiscard]] std::string copy_directory(const std::string& state_directory, const Repository& repository);

}  // namespace graft::git
