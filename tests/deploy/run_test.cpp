// The configurations that are shipped for containers, carried out by the real program: those of the paths and addresses
// that are the cluster's are the test's, everything else is as it stands in the files.
#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include <yaml-cpp/yaml.h>

#include "doubles/kubernetes_api.hpp"
#include "simulator/simulator.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using namespace graft;  // NOLINT(google-build-using-namespace)
using graft::test_support::Process;

const fs::path deploy = fs::path(GRAFTD_SOURCE_DIR) / "deploy";

std::string binary() { return std::string(GRAFTD_BIN_DIR) + "/graftd"; }

struct Site {
  Site() { directory.write("password", "admin\n"); }

  // The flags that are stronger than the file: where things are in the test.
  [[nodiscard]] std::vector<std::string> places() const {
    return {"--grafana-url=" + simulator.url(),
            "--grafana-auth-password-file=" + (directory / "password"),
            "--state-directory=" + (directory / "state"),
            "--tokens-directory=" + (directory / "tokens"),
            "--http-listen=127.0.0.1:0",
            "--http-socket=" + socket()};
  }
  [[nodiscard]] std::string socket() const { return directory / "graftd.sock"; }

  // One cycle of a variant of deploy/kubernetes.
  [[nodiscard]] int apply(const std::string& variant, std::vector<std::string> more = {}) const {
    const fs::path folder = deploy / "kubernetes" / variant;
    std::vector<std::string> all{binary(), "apply", "--config=" + (folder / "graftd.yaml").string(),
                                 "--manifests-directory=" + (folder / "manifests").string()};
    for (const std::string& place : places()) all.push_back(place);
    for (std::string& one : more) all.push_back(std::move(one));
    Process process(all, output.path().string());
    const int code = process.wait();
    INFO(process.err());
    CHECK(code == 0);
    return code;
  }

  [[nodiscard]] int login_by(std::string key) const {
    while (key.ends_with('\n')) key.pop_back();
    return test_support::request(simulator.url(), "GET", "/api/user", {{"Authorization", "Bearer " + key}}).status;
  }

  test::TemporaryDirectory directory, output;
  simulator::Simulator simulator{simulator::Options{}};
};

// "../config/examples/tutorial:/manifests:ro" of a service → what the folder in the container is on this machine.
std::string in_container(const YAML::Node& service, std::string path) {
  for (const YAML::Node& volume : service["volumes"]) {
    const auto text = volume.as<std::string>();
    const std::size_t colon = text.find(':');
    const std::string inside = text.substr(colon + 1, text.find(':', colon + 1) - colon - 1);
    if (path == inside && text.starts_with(".")) return fs::weakly_canonical(deploy / text.substr(0, colon)).string();
  }
  return path;
}

}  // namespace

TEST_CASE("the ConfigMap variant converges, and needs no more rights on Secrets than its role gives") {
  const Site site;
  doubles::KubernetesApi api;
  api.forbid("create");
  api.set_data("monitoring", "apiorg-token", "other", "x");  // base/secrets.yaml makes it before
  api.remove_data("monitoring", "apiorg-token", "other");
  REQUIRE(site.apply("configmap", {"--kubernetes-url=" + api.url()}) == 0);
  const auto key = api.data("monitoring", "apiorg-token", "token");
  REQUIRE(key.has_value());
  CHECK(site.login_by(*key) == 200);
}

TEST_CASE("the sidecar converges, and its key is for Grafana's group") {
  if (::geteuid() != 0) {
    MESSAGE("not run: only root is in any group");
    return;
  }
  const Site site;
  REQUIRE(site.apply("sidecar") == 0);
  struct stat info{};
  const std::string file = site.directory / "tokens/apiorg/test-token";
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK(info.st_gid == 472);
  CHECK((info.st_mode & 0777U) == 0640);
  CHECK(site.login_by(site.directory.read("tokens/apiorg/test-token")) == 200);
}

TEST_CASE("the service of the compose file converges by its own command, and its health check says so") {
  const Site site;
  const YAML::Node file = YAML::LoadFile((deploy / "compose.yaml").string());
  const YAML::Node service = file["services"]["graftd"];
  std::vector<std::string> command{binary()};
  bool manifests = false;
  for (const YAML::Node& one : service["command"]) {
    const auto text = one.as<std::string>();
    const std::size_t equals = text.find('=');
    const std::string flag = text.substr(0, equals);
    if (equals != std::string::npos && flag == "--manifests-directory") {
      const std::string here = in_container(service, text.substr(equals + 1));
      manifests = fs::is_directory(here);
      command.push_back(flag + "=" + here);
      continue;
    }
    // What the test puts in its place is given once only.
    const auto places = site.places();
    const bool replaced = std::ranges::any_of(places, [&](const auto& place) { return place.starts_with(flag + "="); });
    command.push_back(text);
    if (!replaced) continue;
    for (const std::string& place : places)
      if (place.starts_with(flag + "=")) command.back() = place;
  }
  CHECK(manifests);
  command.push_back("--http-socket=" + site.socket());
  Process daemon(command, site.output.path().string());
  REQUIRE_MESSAGE(daemon.wait_for("msg=\"cycle done\"", std::chrono::seconds(60)), daemon.err());
  CHECK(site.login_by(site.directory.read("tokens/apiorg/test-token")) == 200);

  std::vector<std::string> health;
  for (const YAML::Node& one : service["healthcheck"]["test"]) health.push_back(one.as<std::string>());
  REQUIRE(health.size() > 2);
  CHECK(health[0] == "CMD");
  CHECK(health[1] == "/usr/bin/graftd");
  health.erase(health.begin());
  health[0] = binary();
  const std::map<std::string, std::string> environment{{"GRAFTD_HTTP_SOCKET", site.socket()}};
  CHECK(Process(health, site.output.path().string(), environment).wait() == 0);
  daemon.signal(SIGTERM);
  CHECK(daemon.wait(std::chrono::seconds(30)) == 0);
  CHECK(Process(health, site.output.path().string(), environment).wait() == 1);
}

TEST_CASE("the compose file gives its services no more than they need, and hands secrets over by files") {
  const YAML::Node file = YAML::LoadFile((deploy / "compose.yaml").string());
  for (const auto& [name, service] : file["services"].as<std::map<std::string, YAML::Node>>()) {
    CAPTURE(name);
    CHECK(service["read_only"].as<bool>());
    CHECK(service["cap_drop"].as<std::vector<std::string>>() == std::vector<std::string>{"ALL"});
    CHECK(service["security_opt"].as<std::vector<std::string>>() == std::vector<std::string>{"no-new-privileges:true"});
    CHECK(service["healthcheck"].IsMap());
    CHECK_FALSE(service["privileged"]);
    const auto image = service["image"].as<std::string>();
    CHECK(image.rfind(':') != std::string::npos);
    CHECK_FALSE(image.ends_with(":latest"));
    for (const YAML::Node& port : service["ports"]) CHECK(port.as<std::string>().starts_with("127.0.0.1:"));
    for (const YAML::Node& secret : service["secrets"]) CHECK(file["secrets"][secret.as<std::string>()].IsMap());
    for (const YAML::Node& volume : service["volumes"]) {
      const auto text = volume.as<std::string>();
      const std::string source = text.substr(0, text.find(':'));
      CAPTURE(text);
      if (source.starts_with(".")) {
        CHECK(fs::exists(deploy / source));
        CHECK(text.ends_with(":ro"));
      } else {
        CHECK(file["volumes"].as<std::map<std::string, YAML::Node>>().contains(source));
      }
    }
  }
}
