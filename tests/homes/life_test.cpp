// The life of graftd as a sidecar: there before its Grafana and after it, which comes late, loses everything, and goes.
#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "homes/pod.hpp"

using namespace graft::test;
using graft::test_support::eventually;
using graft::test_support::Process;
using std::chrono::seconds;

namespace {

constexpr unsigned pod_memory = 64 * 1024;  // KiB
constexpr seconds longest_retry{60};        // 30 s, and a loaded machine
constexpr seconds termination_grace{30};

const std::string built_with_us = std::string(GRAFTD_BIN_DIR) + "/graftd";

#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitized = true;  // such a graftd needs several times the memory
#else
constexpr bool sanitized = false;
#endif

// A graftd as it is shipped, or "".
std::string shipped() {
  if (!sanitized) return built_with_us;
  for (const char* build : {"package", "release"}) {
    const std::string path = fmt::format("{}/build/{}/bin/graftd", GRAFTD_SOURCE_DIR, build);
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

// A line of /proc/PID/status, without its name.
std::string of_process(const Process& process, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", process.pid()));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  return {};
}

// What it could write, by its mounts.
std::vector<std::string> writable_mounts(const Process& process) {
  std::ifstream mounts(fmt::format("/proc/{}/mountinfo", process.pid()));
  std::vector<std::string> out;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point, options;
    fields >> id >> parent >> device >> root >> point >> options;
    if (!options.starts_with("ro") && !point.starts_with("/proc") && !point.starts_with("/dev/")) out.push_back(point);
  }
  std::ranges::sort(out);
  return out;
}

void check_limits(const Process& graftd, bool limited_memory) {
  CHECK(of_process(graftd, "Uid").starts_with("65532\t65532\t65532"));
  CHECK(of_process(graftd, "Groups").starts_with("2000"));
  CHECK(of_process(graftd, "CapEff") == "0000000000000000");
  CHECK(of_process(graftd, "CapBnd") == "0000000000000000");
  CHECK(of_process(graftd, "NoNewPrivs") == "1");
  CHECK(writable_mounts(graftd) == std::vector<std::string>{"/keys", "/run", "/state"});
  if (!limited_memory) return;
  std::ifstream limits(fmt::format("/proc/{}/limits", graftd.pid()));
  std::string all{std::istreambuf_iterator<char>(limits), {}};
  CHECK(all.find(fmt::format("Max data size             {}", pod_memory * 1024)) != std::string::npos);
}

bool probed(const Pod& pod) { return pod.run({"status", "--probe"}) == 0; }

bool key_works(const Pod& pod) { return pod.status_of(pod.key()) == 200; }

// Grafana comes for the first time, or comes back without anything.
void check_converged(const Pod& pod, const Process& graftd, const std::string& key_before) {
  const bool works = eventually([&] { return pod.key() != key_before && key_works(pod); }, longest_retry);
  CHECK_MESSAGE(works, graftd.err());
  CHECK(eventually([&] { return pod.has_dashboard(); }));
  CHECK(pod.tokens().size() == 1);
  if (!key_before.empty()) CHECK(pod.status_of(key_before) == 401);
}

void check_access(const Pod& pod) {
  struct stat info{};
  REQUIRE(::stat(pod.key_file().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0640U);
  if (!pod.limited()) return;
  CHECK(info.st_uid == graftd_user);
  CHECK(info.st_gid == pod_group);
  CHECK(pod.key_as(other_user, true) == pod.key());
  CHECK_FALSE(pod.key_as(stranger, false).has_value());
}

// Its container is killed, and started again with the same volumes.
std::unique_ptr<Process> killed_and_restarted(const Pod& pod, Process& graftd) {
  const std::string key = pod.key();
  const auto tokens = pod.tokens();
  graftd.signal(SIGKILL);
  CHECK(graftd.wait() == 128 + SIGKILL);
  auto next = pod.start({"run"});
  CHECK(next->wait_for("msg=\"cycle done\"", longest_retry));
  CHECK(pod.key() == key);
  CHECK(pod.tokens() == tokens);
  CHECK(key_works(pod));
  return next;
}

long highest_memory(const Process& process) { return std::stol(of_process(process, "VmHWM")); }

// One life of it. Returns how much memory it had in use at most, in KiB.
long live(Pod& pod, bool limited_memory) {
  auto graftd = pod.start({"run"});
  CHECK_MESSAGE(eventually([&] { return probed(pod); }), graftd->err());
  CHECK(graftd->wait_for("msg=\"cycle stopped\""));  // no Grafana yet
  std::this_thread::sleep_for(seconds(3));
  CHECK(probed(pod));
  CHECK(pod.key().empty());
  if (pod.limited()) check_limits(*graftd, limited_memory);

  pod.start_grafana();
  check_converged(pod, *graftd, "");
  check_access(pod);
  long memory = highest_memory(*graftd);
  graftd = killed_and_restarted(pod, *graftd);

  const std::string key = pod.key();
  pod.kill_grafana();
  CHECK(graftd->wait_for("msg=\"cycle stopped\"", longest_retry));
  CHECK(probed(pod));
  CHECK(pod.key() == key);
  pod.start_grafana();
  check_converged(pod, *graftd, key);
  check_access(pod);
  memory = std::max(memory, highest_memory(*graftd));

  pod.end_grafana();  // the app first, its sidecars after it
  graftd->signal(SIGTERM);
  CHECK_MESSAGE(graftd->wait(termination_grace) == 0, graftd->err());
  return memory;
}

}  // namespace

TEST_CASE("a sidecar: there before Grafana, which comes late, loses everything and goes; killed itself in between") {
  Pod pod(built_with_us);
  if (!pod.limited()) MESSAGE("without its user and its read-only root: this needs root and mount namespaces");
  (void)live(pod, false);
}

TEST_CASE("a sidecar as it is shipped lives with 64 MiB of memory") {
  const std::string program = shipped();
  if (program.empty()) {
    MESSAGE("not looked at: there is no graftd without sanitizers (scripts/build release)");
    return;
  }
  Pod pod(program, pod_memory);
  const long memory = live(pod, true);
  MESSAGE(program, ": ", memory / 1024, " MiB");
  CHECK(memory < long{pod_memory});
}

// What an empty Grafana cannot know is not planned (tokens.reissuesPerHour): a Grafana without a disk of its own that
// fails again and again would else be given ever more keys.
TEST_CASE(
    "a Grafana that comes back empty for the fourth time within an hour gets no key by itself, but all the rest") {
  Pod pod(built_with_us);
  pod.start_grafana();
  const auto graftd = pod.start({"run"});
  check_converged(pod, *graftd, "");
  std::string key;
  for (int time = 1; time <= 3; ++time) {
    CAPTURE(time);
    key = pod.key();
    pod.kill_grafana();
    pod.start_grafana();
    check_converged(pod, *graftd, key);
  }
  key = pod.key();
  pod.kill_grafana();
  pod.start_grafana();
  CHECK(eventually([&] { return pod.has_dashboard(); }, longest_retry));
  std::string told;
  const auto held = [&] {
    const auto status = pod.start({"status"});
    const int code = status->wait();
    told = status->out();
    return code == 1 && told.find("tokens.reissuesPerHour") != std::string::npos;
  };
  CHECK_MESSAGE(eventually(held, longest_retry), told);
  CHECK(told.find("graftd tokens rotate") != std::string::npos);
  CHECK(pod.key() == key);
  CHECK(pod.status_of(key) == 401);
  CHECK(pod.tokens().empty());
  CHECK(probed(pod));  // nothing that a restart would mend

  CHECK(pod.run({"tokens", "rotate", "apiorg/test/test-token"}) == 0);
  check_converged(pod, *graftd, key);
  pod.end_grafana();
  graftd->signal(SIGTERM);
  CHECK(graftd->wait(termination_grace) == 0);
}
