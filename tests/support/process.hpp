// A child process of a test: started, fed with signals, waited for; its output is collected. Killed when it is
// forgotten.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace graft::test_support {

class Process {
 public:
  // Output goes to files in `directory` (one pair a process); the environment is ours with `environment` over it.
  Process(std::vector<std::string> arguments, const std::string& directory,
          const std::map<std::string, std::string>& environment = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }

  // The exit code, or 128 + the signal that ended it; nullopt when it still runs at the end of the time.
  std::optional<int> wait(std::chrono::milliseconds limit);
  int wait();  // 60 s; fails by an exception

  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  // Waits until the output (both kinds) holds the text.
  bool wait_for(const std::string& text, std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

 private:
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::string out_file_, err_file_;
};

// Asks again and again, for at most `limit`, until `done` says yes.
template <class Done>
bool eventually(Done done, std::chrono::milliseconds limit = std::chrono::seconds(20));

}  // namespace graft::test_support

#include <thread>

template <class Done>
bool graft::test_support::eventually(Done done, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}
