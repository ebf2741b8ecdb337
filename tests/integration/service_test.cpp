// The whole service in this process, with a clock that runs as fast as the test wants: hours of a Grafana that is down,
// and the sizes that are promised.
#include "daemon/service.hpp"

#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "admin/client.hpp"
#include "daemon/config.hpp"
#include "simulator/simulator.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test_support::eventually;

namespace {

class FastClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return system_clock().wall() + seconds(ahead_); }
  [[nodiscard]] SteadyTime steady() const override { return system_clock().steady() + seconds(ahead_); }
  void advance(seconds by) { ahead_ += by.count(); }

 private:
  std::atomic<std::int64_t> ahead_{0};
};

class Running {
 public:
  explicit Running(const std::string& more = "") {
    directory.write("password", "admin\n");
    directory.write("graftd.yaml",
                    fmt::format("owner: service\ngrafana: {{url: '{}', auth: {{username: admin, passwordFile: {}}}}}\n"
                                "manifests: {{directory: {}}}\nstate: {{directory: {}}}\ntokens: {{directory: {}}}\n"
                                "http: {{listen: none, socket: {}}}\n{}",
                                simulator.url(), directory / "password", directory / "manifests", directory / "state",
                                directory / "tokens", socket(), more));
    source_.file = directory / "graftd.yaml";
  }
  ~Running() { stop(); }

  void start() {
    const daemon::LoadedConfig loaded = daemon::load_config(source_, daemon::Need::everything);
    REQUIRE_FALSE(loaded.diagnostics.has_errors());
    daemon::ServeOptions options;
    options.poll_interval = milliseconds(5);
    options.beat_interval = milliseconds(5);
    thread_ = std::thread([this, settings = loaded.settings, options] {
      exit_code = daemon::serve(settings, source_, clock, system_random(), *log_, options);
    });
    REQUIRE(eventually([&] { return state() == "converged"; }, seconds(300)));
  }
  void stop() {
    if (!thread_.joinable()) return;
    (void)::raise(SIGTERM);
    thread_.join();
  }

  [[nodiscard]] std::string socket() const { return directory / "graftd.sock"; }
  [[nodiscard]] admin::Reply get(const std::string& target) const {
    auto reply = admin::call(socket(), {"GET", target, {}, seconds(30)});
    return reply ? *reply : admin::Reply{};
  }
  [[nodiscard]] json status() const {
    const json document = json::parse(get("/api/v1/status").body, nullptr, false);
    return document.is_object() ? document : json{{"state", ""}};
  }
  [[nodiscard]] std::string state() const { return status().at("state").get<std::string>(); }

  test::TemporaryDirectory directory;
  simulator::Simulator simulator;
  FastClock clock;
  std::atomic<int> exit_code{-1};

 private:
  daemon::ConfigSource source_;
  std::unique_ptr<daemon::Logger> log_ = daemon::make_logger("error", "logfmt");
  std::thread thread_;
};

const std::string one_folder =
    "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: org}\nspec:\n  folders: [{uid: f, title: F}]\n";

}  // namespace

TEST_CASE("service: Grafana is down for an hour; graftd stays, says so, asks rarely, and is back within 35 s") {
  Running graftd;
  graftd.directory.write("manifests/org.yaml", one_folder);
  graftd.start();
  CHECK(graftd.get("/-/ready").status == 200);
  const json before = graftd.status();

  graftd.simulator.stop_listening();
  constexpr seconds step{5};
  bool was_ready_early = false;
  for (seconds passed{0}; passed < seconds(3'600); passed += step) {
    graftd.clock.advance(step);
    std::this_thread::sleep_for(milliseconds(15));
    if (passed.count() % 300 != 0) continue;
    CHECK(eventually([&] { return graftd.get("/-/healthy").status == 200; }));
    if (passed == seconds(600)) was_ready_early = graftd.get("/-/ready").status == 200;
  }
  CHECK(was_ready_early);  // ten minutes are no reason to be taken out
  const admin::Reply ready = graftd.get("/-/ready");
  CHECK(ready.status == 503);
  CHECK(ready.body.find("cannot connect") != std::string::npos);
  const json down = graftd.status();
  CHECK(down.at("state") == "stopped");
  CHECK(down.at("problems").at(0).at("about") == "grafana");
  CHECK(down.at("graftd").at("startedAt") == before.at("graftd").at("startedAt"));
  const std::size_t cycles = down.at("cycles").size() - before.at("cycles").size();
  std::size_t probes = 0;
  for (std::size_t i = before.at("cycles").size(); i < down.at("cycles").size(); ++i)
    probes += down.at("cycles").at(i).at("requests").get<std::size_t>();
  CHECK(cycles > 50);               // it goes on asking
  CHECK(probes <= 3'600 / 30 + 5);  // the first pauses are 2, 4, 8 and 16 s

  // Somebody has taken the folder away meanwhile; Grafana is back.
  graftd.simulator.start_listening();
  const WallTime back = graftd.clock.wall();
  for (int i = 0; i < 35 && graftd.state() != "converged"; ++i) {
    graftd.clock.advance(seconds(1));
    std::this_thread::sleep_for(milliseconds(100));
  }
  CHECK(graftd.state() == "converged");
  CHECK(graftd.clock.wall() - back <= seconds(45));  // of the fast clock: 35 of it, and what this machine took
  CHECK(graftd.get("/-/ready").status == 200);
  graftd.stop();
  CHECK(graftd.exit_code == 0);
}

TEST_CASE("service: 200 organizations with 800 tokens make at most 2,000 series, and always the same") {
  Running graftd("interval: 3600s\n");
  for (int i = 0; i < 200; ++i) {
    std::string tokens;
    for (int t = 0; t < 4; ++t)
      tokens += fmt::format("{}{{name: t{}, ttl: 30d, deliverTo: [{{file: {{path: o{}/t{}}}}}]}}", t > 0 ? ", " : "", t,
                            i, t);
    graftd.directory.write(fmt::format("manifests/o{}.yaml", i),
                           fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: o{}}}\nspec:\n"
                                       "  serviceAccounts: [{{name: a, role: Editor, tokens: [{}]}}]\n"
                                       "  folders: [{{uid: f, title: F}}]\n",
                                       i, tokens));
  }
  graftd.start();
  const auto series = [&] {
    std::set<std::string> made;
    const std::string text = graftd.get("/metrics").body;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (text[at] != '#') made.insert(text.substr(at, text.rfind(' ', end) - at));
      at = end + 1;
    }
    return made;
  };
  const auto first = series();
  CHECK(first.size() <= 2'000);
  CHECK(first.size() > 800);  // each token's expiry is among them
  const auto begun = std::chrono::steady_clock::now();
  constexpr int scrapes = 20;
  for (int i = 0; i < scrapes; ++i) CHECK(graftd.get("/metrics").status == 200);
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun) / scrapes;
  MESSAGE(first.size() << " series, " << took.count() << " ms a scrape");
  CHECK(took < seconds(1));  // 50 ms in a release build; this one has sanitizers

  // The first cycle that finds nothing to do asks what no cycle before it asked; from then on nothing is new.
  std::set<std::string> settled;
  for (int i = 0; i < 3; ++i) {
    const auto sync = admin::call(graftd.socket(), {"POST", "/api/v1/sync?wait=60s", "{}", seconds(90)});
    REQUIRE(sync);
    CHECK(json::parse(sync->body).at("cycle").at("result") == "noop");
    graftd.clock.advance(seconds(5));  // asked-for cycles begin so far apart
    if (i == 0) settled = series();
  }
  CHECK(series() == settled);
  CHECK(settled.size() <= 2'000);
}
