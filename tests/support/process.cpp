#include "support/process.hpp"

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <spawn.h>
#include <stdexcept>
#include <stdlib.h>
#include <sys/wait.h>

extern char** environ;

namespace graft::test_support {

namespace {

std::string content(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& over) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string pair(*entry);
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos) all[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  for (const auto& [name, value] : over) all[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const std::string& directory,
                 const std::map<std::string, std::string>& environment) {
  static std::atomic<int> counter{0};
  const std::string stem = directory + "/process-" + std::to_string(++counter);
  out_file_ = stem + ".out";
  err_file_ = stem + ".err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  // The child must not hold our sockets open: a simulator that goes down would still be there for it.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  std::vector<std::string> variables = merged_environment(environment);
  std::vector<char*> argv = pointers(arguments), envp = pointers(variables);
  const int error = posix_spawn(&pid_, arguments.at(0).c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + arguments.at(0));
}

Process::~Process() {
  if (code_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!code_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  const auto ended = [this] {
    if (code_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  };
  (void)eventually(ended, limit);
  return code_;
}

int Process::wait() {
  const std::optional<int> code = wait(std::chrono::seconds(60));
  if (!code) throw std::runtime_error("the process did not end: " + err());
  return *code;
}

std::string Process::out() const { return content(out_file_); }
std::string Process::err() const { return content(err_file_); }

bool Process::wait_for(const std::string& text, std::chrono::milliseconds limit) const {
  return eventually([&] { return (out() + err()).find(text) != std::string::npos; }, limit);
}

}  // namespace graft::test_support
