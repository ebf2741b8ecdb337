// The graftd binary, with a configuration and a directory of its own, against a simulator (or the real Grafana that
// GRAFTD_TEST_GRAFANA_URL names, where a test says that it may).
#pragma once

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "admin/client.hpp"
#include "simulator/simulator.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

inline std::string binary() { return std::string(GRAFTD_BIN_DIR) + "/graftd"; }

// The tutorial as it is shipped.
inline std::string tutorial_file() { return std::string(GRAFTD_SOURCE_DIR) + "/config/examples/tutorial/apiorg.yaml"; }

// Whether it ends as it should when it is told to.
inline bool ends_well(test_support::Process& daemon) {
  daemon.signal(SIGTERM);
  return daemon.wait(std::chrono::seconds(20)) == 0;
}

class Graftd {
 public:
  explicit Graftd(simulator::Options options = {})
      : simulator(std::move(options)), admin(simulator.url(), "admin", "admin") {
    std::filesystem::create_directories(directory / "manifests");
    std::filesystem::copy_file(tutorial_file(), directory / "manifests/apiorg.yaml");
    directory.write("password", "admin\n");
    configure("");
  }

  // `more` is further configuration. The endpoint is on the Unix socket alone, unless it says otherwise.
  void configure(const std::string& more) const {
    const std::string endpoint = more.find("http:\n") == std::string::npos && more.find("http: {") == std::string::npos
                                     ? fmt::format("http: {{listen: none, socket: {}}}\n", socket())
                                     : std::string();
    directory.write("graftd.yaml", fmt::format("owner: e2e\n"
                                               "grafana:\n  url: {}\n  auth: {{username: admin, passwordFile: {}}}\n"
                                               "manifests: {{directory: {}}}\n"
                                               "state: {{directory: {}}}\n"
                                               "tokens: {{directory: {}}}\n{}{}",
                                               simulator.url(), directory / "password", directory / "manifests",
                                               directory / "state", directory / "tokens", endpoint, more));
  }
  [[nodiscard]] std::string socket() const { return directory / "graftd.sock"; }

  [[nodiscard]] std::unique_ptr<test_support::Process> start(
      std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {}) const {
    std::vector<std::string> all{binary()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--config", directory / "graftd.yaml"});
    return std::make_unique<test_support::Process>(std::move(all), directory.path().string(), environment);
  }

  [[nodiscard]] int run(const std::string& command) const { return start({command})->wait(); }

  // What a document of the running graftd says.
  [[nodiscard]] nlohmann::json document(const std::string& target) const {
    const auto reply = admin::call(socket(), {"GET", target, {}, std::chrono::seconds(10)});
    return reply ? nlohmann::json::parse(reply->body, nullptr, false) : nlohmann::json();
  }

  [[nodiscard]] std::string key() const { return directory.read("tokens/apiorg/test-token"); }
  [[nodiscard]] int key_status() const {
    const std::string bearer = key();
    if (bearer.empty()) return 0;
    return test_support::request(simulator.url(), "GET", "/api/user", {{"Authorization", "Bearer " + bearer}}).status;
  }
  [[nodiscard]] long organization() const {
    const auto reply = admin.get("/api/orgs/name/apiorg");
    return reply.status == 200 ? nlohmann::json::parse(reply.body).at("id").get<long>() : 0;
  }
  [[nodiscard]] std::size_t tokens() const {
    const auto search = nlohmann::json::parse(admin.get("/api/serviceaccounts/search", organization()).body);
    std::size_t count = 0;
    for (const auto& account : search.at("serviceAccounts")) count += account.at("tokens").get<std::size_t>();
    return count;
  }
  [[nodiscard]] std::size_t accounts() const {
    return nlohmann::json::parse(admin.get("/api/serviceaccounts/search", organization()).body)
        .at("totalCount")
        .get<std::size_t>();
  }

  TemporaryDirectory directory;
  simulator::Simulator simulator;
  test_support::Person admin;
};

}  // namespace graft::test
