// How much memory `graftd run` needs: after the cold cycle and after a no-op cycle, with 1,000 dashboards of 4 KiB in
// 20 folders of one organization. The number of dashboards is the first argument.
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <string>

#include "support/process.hpp"

namespace {

namespace fs = std::filesystem;
using graft::test_support::Process;

constexpr int folders = 20;
constexpr std::size_t dashboard_bytes = 4096;

std::string dashboard(int number) {
  nlohmann::json model{{"title", fmt::format("Dashboard {}", number)},
                       {"schemaVersion", 36},
                       {"tags", {"bench"}},
                       {"panels", nlohmann::json::array()}};
  for (int panel = 1; model.dump().size() < dashboard_bytes; ++panel)
    model["panels"].push_back(
        {{"id", panel},
         {"type", "timeseries"},
         {"title", fmt::format("Panel {}", panel)},
         {"gridPos", {{"h", 8}, {"w", 12}, {"x", 0}, {"y", 8 * panel}}},
         {"targets", {{{"refId", "A"}, {"expr", fmt::format("rate(requests_total{{panel=\"{}\"}}[5m])", panel)}}}}});
  return model.dump();
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

void write_manifests(const fs::path& directory, int dashboards) {
  std::string text = "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: bench}\nspec:\n  folders:\n";
  for (int i = 0; i < folders; ++i) text += fmt::format("    - {{uid: f{0}, title: Folder {0}}}\n", i);
  text += "  dashboards:\n";
  for (int i = 0; i < dashboards; ++i) {
    text += fmt::format("    - {{uid: d{0}, folder: f{1}, file: models/d{0}.json}}\n", i, i % folders);
    write(directory / fmt::format("models/d{}.json", i), dashboard(i));
  }
  write(directory / "bench.yaml", text);
}

long status_kib(pid_t pid, const std::string& field) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::strtol(line.c_str() + field.size() + 1, nullptr, 10);
  return 0;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

int measure(const fs::path& work, int dashboards) {
  write_manifests(work / "manifests", dashboards);
  const std::string bin = GRAFTD_BIN_DIR;
  Process grafana({bin + "/grafana-simulator", "--listen", "127.0.0.1:0", "--admin", "admin:admin"}, work.string());
  if (!grafana.wait_for("listening on ")) return 1;
  std::string url = grafana.out().substr(std::string("listening on ").size());
  url.erase(url.find('\n'));
  write(work / "password", "admin\n");
  write(work / "graftd.yaml",
        fmt::format("owner: bench\ngrafana:\n  url: {}\n  auth: {{username: admin, passwordFile: {}}}\n"
                    "manifests: {{directory: {}}}\nstate: {{directory: {}}}\ntokens: {{directory: {}}}\ninterval: 1s\n",
                    url, (work / "password").string(), (work / "manifests").string(), (work / "state").string(),
                    (work / "tokens").string()));
  Process graftd({bin + "/graftd", "run", "--config", (work / "graftd.yaml").string()}, work.string());
  for (const std::size_t cycles : {1U, 3U}) {
    if (!graft::test_support::eventually([&] { return count(graftd.err(), "msg=\"cycle done\"") >= cycles; },
                                         std::chrono::minutes(5))) {
      fmt::print(stderr, "{}\n", graftd.err());
      return 1;
    }
    fmt::print("{} dashboards, after {} cycle(s): VmRSS {:.1f} MiB, VmHWM {:.1f} MiB\n", dashboards, cycles,
               static_cast<double>(status_kib(graftd.pid(), "VmRSS")) / 1024.0,
               static_cast<double>(status_kib(graftd.pid(), "VmHWM")) / 1024.0);
  }
  graftd.signal(SIGTERM);
  return graftd.wait();
}

}  // namespace

int main(int argc, char** argv) {
  const int dashboards = argc > 1 ? std::atoi(argv[1]) : 1000;
  std::string pattern = (fs::temp_directory_path() / "graftd-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  const int code = measure(pattern, dashboards);
  fs::remove_all(pattern);
  return code;
}
