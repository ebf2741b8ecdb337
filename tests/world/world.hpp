// A Grafana and a graftd in one process: what the integration tests stand on. The Grafana is a simulator of its own,
// or, where a test says that it may, the real one named by GRAFTD_TEST_GRAFANA_URL. graftd is the daemon's own wiring
// (App) on real sockets and real files; a cycle is one call.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "daemon/app.hpp"
#include "reconcile/report.hpp"
#include "simulator/simulator.hpp"
#include "support/http_client.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

// Wall time stands where the test puts it; steady time is real, since timers of the machine use it.
class TestClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return system_clock().wall() + offset + wall_offset; }
  [[nodiscard]] SteadyTime steady() const override { return system_clock().steady() + offset; }
  std::chrono::seconds offset{0};       // time that has passed
  std::chrono::seconds wall_offset{0};  // somebody set the clock
};

class World {
 public:
  enum class Kind { simulator, real_if_there };
  explicit World(Kind kind = Kind::simulator, simulator::Options options = {});
  ~World();

  // A name that no other test uses, so that tests can share a real Grafana.
  [[nodiscard]] std::string organization() const { return organization_; }
  [[nodiscard]] long organization_id() const;  // 0 when there is none

  void manifest(const std::string& file, const std::string& text) const;
  void remove_manifest(const std::string& file) const;

  [[nodiscard]] reconcile::Report plan() { return run(reconcile::Mode::plan); }
  [[nodiscard]] reconcile::Report apply() { return run(reconcile::Mode::apply); }
  void restart() {  // the next cycle is that of a new process
    app_.reset();
    io_.reset();  // its threads would be missing in a child made by fork
  }

  // Grafana's clock and ours go on; with a real Grafana they do so by themselves, and this waits.
  void pass(std::chrono::seconds by);
  // What graftd tokens leaves in the store for "test/test-token": the number of the request.
  [[nodiscard]] std::int64_t ask(state::Request::Kind kind) const;

  [[nodiscard]] bool has_simulator() const { return simulator != nullptr; }
  [[nodiscard]] std::string key_file(const std::string& path = "") const;  // content of a file under tokens/
  [[nodiscard]] int key_status(const std::string& key) const;              // HTTP status of GET /api/user with it
  // Live tokens of an account, by Grafana's own list.
  [[nodiscard]] std::vector<std::string> tokens(const std::string& account = "test") const;
  [[nodiscard]] long account_id() const;  // of the organization's only account
  [[nodiscard]] nlohmann::json dashboard(const std::string& uid) const;

  std::unique_ptr<simulator::Simulator> simulator;
  std::string url;
  std::unique_ptr<test_support::Person> admin;
  TemporaryDirectory directory;
  daemon::Settings settings;
  TestClock clock;
  std::chrono::milliseconds timeout{30'000};  // of one request to Grafana

 private:
  [[nodiscard]] reconcile::Report run(reconcile::Mode mode);

  std::string organization_;
  std::unique_ptr<boost::asio::io_context> io_;  // outlives the App, whose kept connections belong to it
  std::unique_ptr<daemon::App> app_;
};

// The tutorial's manifest for an organization of this name.
[[nodiscard]] std::string tutorial(const std::string& organization);

// One account `test` with one token `test-token`: `fields` are its others ("ttl: 30d"), `deliver_to` is a list in YAML,
// by default the file "<organization>/test-token".
[[nodiscard]] std::string one_token(const std::string& organization, const std::string& fields,
                                    const std::string& deliver_to = {});

// "dashboard:production-overview /title" for each planned change, "+folder:ops" for a creation.
[[nodiscard]] std::vector<std::string> changes(const reconcile::Report& report);

// Everything that went wrong, for CAPTURE.
[[nodiscard]] std::string problems(const reconcile::Report& report);

}  // namespace graft::test
