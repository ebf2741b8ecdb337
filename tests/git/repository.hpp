// A git repository of a test, made by git itself.
#pragma once

#include <fmt/format.h>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "git/child.hpp"
#include "git/job.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

class GitRepository {
 public:
  GitRepository() {
    git({"init", "--quiet", "--initial-branch=main", path()});
    for (const char* setting :
         {"user.name=n", "user.email=n@example.org", "uploadpack.allowAnySHA1InWant=true", "gc.auto=0",
          "core.protectNTFS=false", "protocol.file.allow=always", "core.hooksPath=/dev/null"}) {
      const std::string text = setting;
      const std::size_t equals = text.find('=');
      git({"-C", path(), "config", text.substr(0, equals), text.substr(equals + 1)});
    }
  }

  [[nodiscard]] std::string path() const { return directory_ / "repository"; }
  [[nodiscard]] std::string file(const std::string& name) const { return path() + "/" + name; }

  // Whether a git command ends well.
  [[nodiscard]] bool says(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/git", "-C", path()});
    return test_support::Process(arguments, directory_.path().string(), environment()).wait() == 0;
  }

  // The output of a git command, without its line end.
  std::string git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "/usr/bin/git");
    test_support::Process process(arguments, directory_.path().string(), environment());
    if (process.wait() != 0) throw std::runtime_error(arguments.back() + ": " + process.err());
    std::string out = process.out();
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  std::string in(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", path()});
    return git(std::move(arguments));
  }

  void write(const std::string& name, const std::string& content) const {
    directory_.write("repository/" + name, content);
  }
  // Everything that is there; returns the commit.
  std::string commit(const std::string& message = "m", std::vector<std::string> more = {}) const {
    in({"add", "--all"});
    std::vector<std::string> arguments{"commit", "--quiet", "--allow-empty", "-m", message};
    arguments.insert(arguments.end(), more.begin(), more.end());
    in(std::move(arguments));
    return in({"rev-parse", "HEAD"});
  }
  std::string commit_file(const std::string& name, const std::string& content) const {
    write(name, content);
    return commit(name);
  }

 private:
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"GIT_CONFIG_NOSYSTEM", "1"}, {"HOME", directory_.path().string()}};
  }

  TemporaryDirectory directory_;
};

// A job on it, for a copy of its own.
inline git::Job job_for(const std::string& url, const TemporaryDirectory& directory, const std::string& ref = "main") {
  git::Job job;
  job.repository.url = url;
  job.repository.ref = ref;
  job.repository.allow_local = true;
  job.repository.size_limit = std::uint64_t{64} << 20U;
  job.repository.timeout = std::chrono::seconds(60);
  job.directory = directory / "git/copy";
  return job;
}

// What comes of it in a child process, as the daemon has it done.
inline git::Reply fetched(const git::Job& job) {
  auto reply = git::run_child(job, std::string(GRAFTD_BIN_DIR) + "/graftd", -1);
  if (reply) return std::move(*reply);
  git::Reply failed;
  failed.problem = std::move(reply.error());
  return failed;
}

inline std::string problem_of(const git::Reply& reply) {
  return reply.problem ? reply.problem->describe() : std::string();
}

}  // namespace graft::test
