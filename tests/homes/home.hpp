// How manifests come onto a machine, done as those do it who bring them there: kubelet, git-sync, a person with a copy
// command.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace graft::test {

using Texts = std::map<std::string, std::string>;  // path below the manifests → text

// Revision `number` of manifests whose every resource is called after it, in files of which each has a part of them.
// Some names of files change with the number, too.
[[nodiscard]] Texts revision(int number);
inline constexpr int resources_of_a_revision = 9;  // that carry the number

// The number in any part of a revision; 0 when there is none.
[[nodiscard]] int number_in(const std::string& text);

// A place in which one revision after the other is published, by one thread. What is in it may be read by others at the
// same time.
class Home {
 public:
  virtual ~Home() = default;
  virtual void publish(const Texts& texts) = 0;
  [[nodiscard]] virtual std::string manifests() const = 0;  // for manifests.directory

  // The revisions that could be found here: those that were published, and others that lay at rest for long enough to
  // be taken for published, since the machine kept us waiting. Any thread.
  [[nodiscard]] std::set<std::string> revisions() const;
  [[nodiscard]] std::set<int> interrupted() const;  // numbers of those that kept us waiting while they were written

 protected:
  void found_at(const std::string& folder);
  void interrupted_at(int number);

 private:
  mutable std::mutex mutex_;
  std::set<std::string> revisions_;
  std::set<int> interrupted_;
};

// How a tree that is not needed any more goes.
struct Removal {
  std::chrono::microseconds pause{0};  // after each file: whoever removes it has to wait for the processor
};

// A ConfigMap volume as kubelet's atomic writer keeps it: folders named after the time, ..data a link to one of them,
// renamed over the earlier one, what is seen are links through ..data; the folder before is removed at once.
[[nodiscard]] std::unique_ptr<Home> config_map(const std::string& folder, Removal removal = {});

// git-sync: a worktree a commit, `current` a link to one of them, renamed over the earlier one; the worktree before is
// removed at once.
[[nodiscard]] std::unique_ptr<Home> git_sync(const std::string& folder, Removal removal = {});

// A folder that is rewritten in place, file by file, with pauses of up to `pause`: files are cut and written in two
// pieces, replaced by a rename, and removed. publish() returns when the last file is written.
[[nodiscard]] std::unique_ptr<Home> plain(const std::string& folder, std::chrono::milliseconds pause);

}  // namespace graft::test
