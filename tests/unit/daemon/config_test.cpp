#include "daemon/config.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>

#include "daemon/reference.hpp"
#include "daemon/schedule.hpp"
#include "support/recording.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using namespace graft::daemon;

namespace {

const std::string sound =
    "owner: o\ngrafana:\n  url: http://h\n  auth: {username: admin, passwordFile: /p}\nmanifests: {directory: /m}\n";

LoadedConfig load(const std::string& text, std::map<std::string, std::string> flags = {},
                  Environment environment = {}) {
  const test::TemporaryDirectory directory;
  directory.write("graftd.yaml", text);
  ConfigSource source;
  source.file = directory / "graftd.yaml";
  source.flags = std::move(flags);
  source.environment = std::move(environment);
  LoadedConfig loaded = load_config(source, Need::everything);
  test::record_case({{"graftd.yaml", text}}, loaded.diagnostics);
  return loaded;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void check_document(const std::string& name, const std::string& expected) {
  const std::string path = std::string(GRAFTD_SOURCE_DIR) + "/docs/" + name;
  if (std::getenv("GRAFTD_TEST_UPDATE") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(text_of(path) == expected, path, " is not what the tables say; GRAFTD_TEST_UPDATE=1 writes it");
}

}  // namespace

TEST_CASE("a sound file gives its values and the defaults") {
  const LoadedConfig loaded = load(sound);
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  CHECK(loaded.settings.owner == "o");
  CHECK(loaded.settings.url == "http://h");
  CHECK(loaded.settings.interval == std::chrono::seconds(60));
  CHECK(loaded.settings.orphan_age == std::chrono::seconds(60));
  CHECK(loaded.settings.log_format == "logfmt");
}

TEST_CASE("flag over environment over file over default") {
  const std::string file = sound + "interval: 10s\n";
  CHECK(load(file).settings.interval == std::chrono::seconds(10));
  CHECK(load(file, {}, {{"GRAFTD_INTERVAL", "20s"}}).settings.interval == std::chrono::seconds(20));
  CHECK(load(file, {{"interval", "30s"}}, {{"GRAFTD_INTERVAL", "20s"}}).settings.interval == std::chrono::seconds(30));
}

TEST_CASE("what is wrong with a configuration, and where") {
  struct Row {
    const char *name, *text, *message;
  };
  const std::string base = sound;
  const std::vector<Row> rows{
      {"unknown key", "intervall: 1s\n",
       "graftd.yaml:6:1: error: unknown setting \"intervall\" (did you mean interval?)"},
      {"unknown nested key", "tokens: {dir: /t}\n", "unknown setting \"tokens.dir\""},
      {"duplicate key", "owner: again\n", "owner"},
      {"a map for a text", "interval: {a: 1}\n", "interval must be a text"},
      {"a text for a map", "tokens: /t\n", "tokens must be a map"},
      {"no duration", "interval: 1 minute\n", "is not a duration"},
      {"a duration out of range", "interval: 0s\n", "must be from 1s"},
      {"unset variable", "state: {directory: \"${NOWHERE}/s\"}\n", "environment variable \"NOWHERE\" is not set"},
      {"open brace", "state: {directory: \"${NOWHERE\"}\n", "no closing brace"},
      {"a setting that comes later", "policy: sync\n", "unknown setting \"policy\""},
      {"a second document", "---\nowner: x\n", "one document"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const LoadedConfig loaded = load(base + row.text);
    REQUIRE(loaded.diagnostics.has_errors());
    std::string all;
    for (const Diagnostic& item : loaded.diagnostics.items()) all += item.to_string() + "\n";
    CHECK_MESSAGE(all.find(row.message) != std::string::npos, all);
  }
}

TEST_CASE("variables of the environment are put in, and may not be misspelt") {
  const LoadedConfig loaded = load(sound + "state: {directory: \"${HERE}/s\"}\n", {}, {{"HERE", "/var"}});
  CHECK(loaded.settings.state_directory == "/var/s");
  CHECK(load(sound, {}, {{"GRAFTD_INTERVALL", "1s"}}).diagnostics.has_errors());
  CHECK_FALSE(load(sound, {}, {{"GRAFTD_SERVICE_HOST", "x"}, {"GRAFTD_PORT_9417_TCP", "y"}}).diagnostics.has_errors());
}

TEST_CASE("credentials are of one kind, and whole") {
  const std::string head = "owner: o\nmanifests: {directory: /m}\ngrafana: ";
  for (const char* auth :
       {"{url: http://h}", "{auth: {username: a}}", "{auth: {passwordFile: /p}}",
        "{auth: {username: a, passwordFile: /p, tokenFile: /t}}", "{auth: {username: 'a:b', passwordFile: /p}}"})
    CHECK(load(head + auth + "\n").diagnostics.has_errors());
  CHECK_FALSE(load(head + "{auth: {tokenFile: /t}}\n").diagnostics.has_errors());
}

TEST_CASE("Vault is reached by a token or by a login, and only with a url") {
  const std::string url = "url: http://v", token = "tokenFile: /t", role = "kubernetes: {role: r}";
  const auto vault = [&](const std::string& inner) { return load(sound + "vault: {" + inner + "}\n"); };
  CHECK(vault(url).diagnostics.has_errors());
  CHECK(vault("auth: {" + token + "}").diagnostics.has_errors());
  CHECK(vault("auth: {" + role + "}").diagnostics.has_errors());
  CHECK(vault(url + ", auth: {" + token + ", " + role + "}").diagnostics.has_errors());
  CHECK_FALSE(vault(url + ", auth: {" + token + "}").diagnostics.has_errors());
  const LoadedConfig loaded = vault(url + ", namespace: a/b, caFile: /c, auth: {" + role + "}");
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  CHECK(loaded.settings.vault_url == "http://v");
  CHECK(loaded.settings.vault_namespace == "a/b");
  CHECK(loaded.settings.vault_ca_file == "/c");
  CHECK(loaded.settings.vault_role == "r");
  CHECK(loaded.settings.vault_login_mount == "kubernetes");
  CHECK(loaded.settings.vault_jwt_file == "/var/run/secrets/kubernetes.io/serviceaccount/token");
}

TEST_CASE("in a pod the Kubernetes API is the cluster's own") {
  const auto in_pod = [](const std::string& host) {
    return load(sound, {}, {{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", "6443"}}).settings;
  };
  CHECK(in_pod("10.0.0.1").in_cluster_url == "https://10.0.0.1:6443");
  CHECK(in_pod("fd00::1").in_cluster_url == "https://[fd00::1]:6443");
  CHECK(in_pod("10.0.0.1").kubernetes_url.empty());
  CHECK(load(sound).settings.in_cluster_url.empty());
  CHECK(load(sound + "kubernetes: {url: http://k}\n").settings.kubernetes_url == "http://k");
  CHECK(load(sound).settings.kubernetes_ca_file == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
}

TEST_CASE("flags and variables are made from keys") {
  CHECK(flag_of("grafana.auth.passwordFile") == "--grafana-auth-password-file");
  CHECK(environment_of("grafana.auth.passwordFile") == "GRAFTD_GRAFANA_AUTH_PASSWORD_FILE");
}

TEST_CASE("the configuration that is shipped is sound") {
  ConfigSource source;
  source.file = std::string(GRAFTD_SOURCE_DIR) + "/config/graftd.yaml";
  source.environment = {{"CREDENTIALS_DIRECTORY", "/run/credentials/graftd"}};
  const LoadedConfig loaded = load_config(source, Need::everything);
  for (const Diagnostic& item : loaded.diagnostics.items()) MESSAGE(item.to_string());
  CHECK(loaded.diagnostics.empty());
  CHECK(loaded.settings.password_file == "/run/credentials/graftd/grafana-password");
}

TEST_CASE("the documents are what the tables say") {
  check_document("configuration.md", configuration_reference());
  check_document("exit-codes.md", exit_code_reference());
}

TEST_CASE("the pause after a cycle") {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  reconcile::Report good;
  CHECK(pause_after(good, {seconds(60), 0, 0.0}) == seconds(54));
  CHECK(pause_after(good, {seconds(60), 0, 0.5}) == seconds(60));
  CHECK(pause_after(good, {seconds(60), 0, 1.0}) == seconds(66));

  reconcile::Report down;
  down.stopped = Error(ErrorCode::unavailable, "down");
  CHECK(pause_after(down, {seconds(60), 1, 0.0}) == seconds(2));
  CHECK(pause_after(down, {seconds(60), 3, 0.0}) == seconds(8));
  CHECK(pause_after(down, {seconds(60), 100, 0.0}) == seconds(30));
  CHECK(pause_after(down, {seconds(60), 100, 0.5}) ==
        std::chrono::milliseconds(31'500));  // never sooner, a little later

  reconcile::Report waiting;
  waiting.server_time = WallTime{seconds(1000)};
  waiting.wake_at = WallTime{seconds(1010)};
  CHECK(pause_after(waiting, {seconds(60), 0, 0.5}) == seconds(11));
  waiting.wake_at = WallTime{seconds(900)};
  CHECK(pause_after(waiting, {seconds(60), 0, 0.5}) == seconds(1));

  reconcile::Report failed;
  failed.results.push_back({{}, Verb::create, reconcile::Outcome::failed, Error(ErrorCode::unavailable, "x").retry()});
  CHECK(pause_after(failed, {seconds(600), 0, 0.5}) == seconds(30));
}
