// The simulator answers as the recorded Grafana did. With GRAFTD_TEST_GRAFANA_URL the same questions go to that server
// instead, which must be fresh; then whatever disagrees is news about Grafana.
#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <iostream>
#include <thread>

#include "conformance/replayer.hpp"
#include "simulator/simulator.hpp"

namespace graft::conformance {
namespace {

using simulator::Options;
using simulator::Simulator;

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::vector<std::filesystem::path> recording_files() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder = GRAFTD_SOURCE_DIR "/tests/simulator/recordings";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

bool knows(const std::string& method, const std::string& target) {
  return simulator::route_of(method, target).has_value() || simulator::has_rule_for(method, target);
}

Outcome against_simulator(const Recording& recording) {
  Options options;
  // As the recorded server was run, unless the recording needs something else.
  options.settings["GF_SECURITY_DISABLE_BRUTE_FORCE_LOGIN_PROTECTION"] = "true";
  for (const auto& [name, value] : recording.server) options.settings[name] = value;
  options.frozen_clock = true;
  Simulator simulator(options);
  const Server server{simulator.url(), options.admin_user, options.admin_password,
                      [&](std::chrono::seconds by) { simulator.advance(by); }, knows};
  return replay(recording, server);
}

bool is_loopback(const std::string& url) {
  return url.starts_with("http://127.") || url.starts_with("http://localhost:") || url.starts_with("http://[::1]");
}

Outcome against(const std::string& url, const Recording& recording) {
  const Server server{url, environment("GRAFTD_TEST_GRAFANA_USER", "admin"),
                      environment("GRAFTD_TEST_GRAFANA_PASSWORD", "admin"),
                      [](std::chrono::seconds by) { std::this_thread::sleep_for(by); }, knows};
  return replay(recording, server);
}

void report(const std::string& file, const Outcome& outcome) {
  std::cout << file << ": " << outcome.agreed << " agreed, " << outcome.skipped << " skipped, "
            << outcome.disagreements.size() << " disagreements\n";
  for (const std::string& route : outcome.skipped_routes) std::cout << "  no such route: " << route << '\n';
  for (const std::string& line : outcome.disagreements) FAIL_CHECK(file, ": ", line);
}

TEST_CASE("every recorded step on a route of the table is answered as Grafana answered it") {
  const std::string url = environment("GRAFTD_TEST_GRAFANA_URL", "");
  const bool allowed = is_loopback(url) || environment("GRAFTD_TEST_GRAFANA_FORCE", "") == "1";
  REQUIRE_MESSAGE((url.empty() || allowed), "the recordings change the server; this one is not on loopback");
  int agreed = 0;
  int skipped = 0;
  for (const auto& path : recording_files()) {
    const Recording recording = load_recording(path.string());
    const std::string file = path.stem().string();
    if (!url.empty() && !recording.server.empty()) {
      std::cout << file << ": left out, it needs a server of its own settings\n";
      continue;
    }
    const Outcome outcome = url.empty() ? against_simulator(recording) : against(url, recording);
    report(file, outcome);
    agreed += outcome.agreed;
    skipped += outcome.skipped;
  }
  std::cout << "total: " << agreed << " agreed, " << skipped << " skipped\n";
  CHECK(agreed > 500);
}

}  // namespace
}  // namespace graft::conformance
