// graftd runs while its manifests are published twenty times a second, or rewritten in place: what it does in one cycle
// is of one revision, and the last one is reached.
#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "e2e/graftd.hpp"
#include "homes/home.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test_support::eventually;

namespace {

constexpr int flips = 1'000;
constexpr milliseconds between_flips{50};
constexpr milliseconds longest_pause{90};  // while a folder is rewritten; well below the 200 ms that are rest
constexpr milliseconds at_rest{600};

// One graftd with its Grafana, and a home for its manifests.
struct Site {
  template <class MakeHome>
  Site(std::string what, MakeHome make_home) : name(std::move(what)), home(make_home(graftd.directory / "home")) {
    graftd.configure("interval: 1s\n");
    home->publish(revision(last = 1));
    daemon = graftd.start({"run", "--manifests-directory", home->manifests()});
    if (!daemon->wait_for("msg=\"cycle done\"", seconds(60))) throw std::runtime_error(name + ": " + daemon->err());
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  std::string name;
  Graftd graftd;
  std::unique_ptr<Home> home;
  int last = 0;  // what was published last
  std::unique_ptr<test_support::Process> daemon;
};

void flip(Site& site) {
  auto next = steady_clock::now();
  for (int i = 0; i < flips; ++i) {
    std::this_thread::sleep_until(next += between_flips);
    site.home->publish(revision(++site.last));
  }
}

void rewrite(Site& site, const std::atomic<bool>& stop) {
  while (!stop) {
    std::this_thread::sleep_for(at_rest);
    site.home->publish(revision(++site.last));
  }
}

// What one cycle wrote into Grafana.
struct Written {
  std::set<int> numbers;
  std::set<std::string> resources;
};

std::vector<Written> written_by_cycle(const std::vector<simulator::RequestRecord>& requests) {
  std::vector<Written> cycles(1);
  for (const auto& request : requests) {
    if (request.method == "GET" && request.path == "/api/user") cycles.emplace_back();  // so each cycle begins
    const int number = request.write() ? number_in(request.body) : 0;
    if (number == 0) continue;
    cycles.back().numbers.insert(number);
    cycles.back().resources.insert(json::parse(request.body).at("metadata").at("name").get<std::string>());
  }
  std::erase_if(cycles, [](const Written& cycle) { return cycle.numbers.empty(); });
  return cycles;
}

std::vector<std::string> revisions_of_cycles(const std::string& log) {
  static const std::regex form("msg=\"cycle done\" revision=(\\S+)");
  std::vector<std::string> out;
  for (std::sregex_iterator line(log.begin(), log.end(), form), end; line != end; ++line) out.push_back((*line)[1]);
  return out;
}

bool reached(const Site& site) {
  const auto cycles = written_by_cycle(site.graftd.simulator.requests());
  return !cycles.empty() && cycles.back().numbers.contains(site.last) &&
         site.graftd.document("/api/v1/status").value("state", "") == "converged";
}

// Each cycle that wrote at all wrote all of one revision, since every resource differs from one to the next. But a
// revision that was kept waiting while it was written looked published in between, and that is no fault.
void check_writes(const Site& site) {
  const std::set<int> interrupted = site.home->interrupted();
  int before = 0, excused = 0;
  const auto cycles = written_by_cycle(site.graftd.simulator.requests());
  for (const Written& cycle : cycles) {
    const int first = *cycle.numbers.begin(), newest = *cycle.numbers.rbegin();
    const auto about = interrupted.lower_bound(first);
    const bool excusable = about != interrupted.end() && *about <= newest + 1;
    excused += excusable ? 1 : 0;
    if (!excusable) {
      CAPTURE(newest);
      CHECK(cycle.numbers.size() == 1);
      CHECK(cycle.resources.size() == resources_of_a_revision);
      CHECK(first > before);
    }
    before = newest;
  }
  MESSAGE(site.name, ": ", site.last, " revisions, ", cycles.size(), " applied, ", excused, " of them interrupted");
  CHECK(cycles.size() >= 5);
}

void check_revisions(const Site& site) {
  std::set<std::string> unknown;
  const auto applied = revisions_of_cycles(site.daemon->err());
  unknown.insert(applied.begin(), applied.end());
  const json history = site.graftd.document("/api/v1/history?limit=1000");
  for (const json& change : history.at("changes")) unknown.insert(change.at("revision").get<std::string>());
  CHECK(unknown.size() >= 5);
  for (const std::string& known : site.home->revisions()) unknown.erase(known);
  CHECK(unknown.empty());
}

}  // namespace

TEST_CASE(
    "a thousand switches of a ConfigMap and of git-sync's link; a folder rewritten in a loop: nothing mixed is "
    "applied") {
  Site kubernetes("ConfigMap", [](const std::string& folder) { return config_map(folder); });
  Site git("git-sync", [](const std::string& folder) { return git_sync(folder); });
  Site folder("folder", [](const std::string& path) { return plain(path, longest_pause); });
  {
    std::atomic<bool> stop = false;
    std::jthread rewriting([&] { rewrite(folder, stop); });
    std::jthread synchronizing([&] { flip(git); });
    flip(kubernetes);
    synchronizing.join();
    stop = true;
  }
  for (Site* site : {&kubernetes, &git, &folder}) {
    CAPTURE(site->name);
    CHECK(eventually([&] { return reached(*site); }, seconds(60)));
    check_writes(*site);
    check_revisions(*site);
    const std::string log = site->daemon->err();
    if (site->home->interrupted().empty()) CHECK(log.find("manifest problem") == std::string::npos);
    if (site != &folder) CHECK(log.find("level=error") == std::string::npos);
    CHECK(ends_well(*site->daemon));
  }
}
