// A pod on this machine: a Grafana and a graftd beside it, each a process that can be killed and brought back, and the
// volumes that they share. Run by root, graftd's container has the limits that it has in a cluster; else some of them
// are left out, which limited() tells.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

inline constexpr unsigned graftd_user = 65532, pod_group = 2000, other_user = 472, stranger = 4711;

class Pod {
 public:
  // `program` is the graftd to run; `memory` the most data that it may have, in KiB (0: no limit).
  explicit Pod(std::string program, unsigned memory = 0);

  // Whether graftd has a root of its own that cannot be written, a user without capabilities, and the memory limit.
  [[nodiscard]] bool limited() const { return limited_; }

  void start_grafana();  // empty, always at the same address
  void kill_grafana();
  void end_grafana();  // as its manager ends it

  // A process in graftd's container: `run`, a probe of the manager, or a command of a person.
  [[nodiscard]] std::unique_ptr<test_support::Process> start(std::vector<std::string> arguments) const;
  [[nodiscard]] int run(const std::vector<std::string>& arguments) const;  // its exit code

  [[nodiscard]] std::string key_file() const { return directory_ / "volumes/keys/apiorg/test-token"; }
  [[nodiscard]] std::string key() const { return directory_.read("volumes/keys/apiorg/test-token"); }
  // What another container of the pod reads there, as a user of its own; nullopt: it may not.
  [[nodiscard]] std::optional<std::string> key_as(unsigned user, bool in_group) const;

  [[nodiscard]] int status_of(const std::string& key) const;  // of a request with it; 0: no Grafana
  [[nodiscard]] std::vector<std::string> tokens() const;      // names of those in Grafana
  [[nodiscard]] bool has_dashboard() const;

 private:
  void write_volumes() const;
  [[nodiscard]] std::string inside(const std::string& path) const;  // as graftd's container sees it

  TemporaryDirectory directory_;
  std::string program_;
  unsigned memory_;
  bool limited_;
  unsigned short port_;
  std::string url_;
  test_support::Person admin_;
  std::unique_ptr<test_support::Process> grafana_;
};

}  // namespace graft::test
