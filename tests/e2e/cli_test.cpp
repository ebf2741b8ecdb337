// The command line: answers on standard output, complaints on standard error, exit codes as documented.
#include <doctest/doctest.h>
#include <filesystem>

#include "e2e/graftd.hpp"

using namespace graft;
using namespace graft::test;
using test_support::Process;

namespace {

struct Ended {
  int code;
  std::string out, err;
};

Ended run(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {}) {
  const TemporaryDirectory directory;
  std::vector<std::string> all{binary()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Process process(all, directory.path().string(), environment);
  const int code = process.wait();
  return {code, process.out(), process.err()};
}

Ended run_here(const Graftd& graftd, std::vector<std::string> arguments) {
  auto process = graftd.start(std::move(arguments));
  const int code = process->wait();
  return {code, process->out(), process->err()};
}

}  // namespace

TEST_CASE("help and version go to standard output with code 0") {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--help"},
                                                                                         {"run", "--help"},
                                                                                         {"plan", "--help"},
                                                                                         {"apply", "--help"},
                                                                                         {"check", "--help"},
                                                                                         {"tokens", "--help"},
                                                                                         {"tokens", "list", "--help"},
                                                                                         {"tokens", "rotate", "--help"},
                                                                                         {"tokens", "verify", "--help"},
                                                                                         {"version", "--help"}}) {
    const Ended ended = run(arguments);
    CHECK(ended.code == 0);
    CHECK(ended.out.find("Usage: graftd") != std::string::npos);
    CHECK(ended.out.find("Exit codes:") != std::string::npos);
    CHECK(ended.err.empty());
    std::size_t begin = 0;
    while (begin < ended.out.size()) {
      const std::size_t end = ended.out.find('\n', begin);
      CHECK_MESSAGE(end - begin <= 80, ended.out.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  CHECK(run({"version"}).out.starts_with("graftd "));
  CHECK(run({"--version"}).out.starts_with("graftd "));
}

TEST_CASE("a wrong command line is 64 and says what to try") {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{},
                                                                                         {"frobnicate"},
                                                                                         {"run", "--no-such-flag"},
                                                                                         {"plan", "-o", "xml"},
                                                                                         {"run", "--config"},
                                                                                         {"tokens"},
                                                                                         {"tokens", "rotate"},
                                                                                         {"tokens", "revoke", "x"}}) {
    const Ended ended = run(arguments);
    CHECK(ended.code == 64);
    CHECK(ended.err.find("help") != std::string::npos);
    CHECK(ended.out.empty());
  }
  const Ended secret = run({"run", "--password=hunter2"});
  CHECK(secret.code == 64);
  CHECK(secret.err.find("hunter2") == std::string::npos);
}

TEST_CASE("a wrong configuration is 78, with every problem at its place") {
  const TemporaryDirectory directory;
  directory.write(
      "graftd.yaml",
      "owner: x\ngrafana:\n  uri: http://h\n  auth: {username: admin}\ninterval: soon\nlog: {level: loud}\n");
  const Ended ended = run({"plan", "--config", directory / "graftd.yaml"});
  CHECK(ended.code == 78);
  CHECK(ended.err.find("graftd.yaml:3:3: error: unknown setting \"grafana.uri\"") != std::string::npos);
  CHECK(ended.err.find("grafana.url") != std::string::npos);
  CHECK(ended.err.find("graftd.yaml:5:11") != std::string::npos);
  CHECK(ended.err.find("graftd.yaml:6:14") != std::string::npos);
  CHECK(ended.err.find("manifests.directory is required") != std::string::npos);
  CHECK(run({"plan", "--config", directory / "missing.yaml"}).code == 78);
  const Ended variable = run({"check", "--config", directory / "graftd.yaml", "."}, {{"GRAFTD_INTERVALL", "1s"}});
  CHECK(variable.code == 78);
  CHECK(variable.err.find("GRAFTD_INTERVALL") != std::string::npos);
}

TEST_CASE("a flag is stronger than the environment, and that than the file") {
  Graftd graftd;
  graftd.configure("interval: 5s\n");
  CHECK(graftd.start({"plan"}, {{"GRAFTD_GRAFANA_URL", "http://127.0.0.1:9"}})->wait() == 69);
  CHECK(graftd.start({"plan", "--grafana-url", graftd.simulator.url()}, {{"GRAFTD_GRAFANA_URL", "http://127.0.0.1:9"}})
            ->wait() == 0);
}

TEST_CASE("check is offline, needs no configuration, and finds everything at once") {
  const TemporaryDirectory directory;
  directory.write("good/apiorg.yaml", "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec: {}\n");
  const Ended good = run({"check", directory / "good"});
  CHECK(good.code == 0);
  CHECK(good.out.find("no errors") != std::string::npos);
  directory.write("bad/a.yaml",
                  "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: a, organization: o}\nspec: {titel: A}\n");
  directory.write("bad/b.yaml",
                  "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: 'b b', organization: o}\nspec: {title: B, "
                  "parent: nobody}\n");
  CHECK(run({"check", directory / "good/apiorg.yaml"}).code == 0);  // as a pre-commit hook names them
  CHECK(run({"check"}).code == 78);                                 // neither a path nor a configuration
  CHECK(run({"check", directory / "good"}, {{"GRAFTD_INTERVALL", "1s"}}).code == 0);
  const Ended bad = run({"check", directory / "bad"});
  CHECK(bad.code == 65);
  CHECK(bad.err.find("a.yaml:4:") != std::string::npos);
  CHECK(bad.err.find("b.yaml:3:") != std::string::npos);
  CHECK(bad.err.find("title") != std::string::npos);
  CHECK(run({"check", directory / "nowhere"}).code == 65);
  const auto json = nlohmann::json::parse(run({"check", "-o", "json", directory / "bad"}).out);
  CHECK(json.at("ok") == false);
  CHECK(json.at("diagnostics").size() >= 2);
}

TEST_CASE("plan, apply and plan again: text, JSON and exit codes") {
  Graftd graftd;
  Ended ended = run_here(graftd, {"plan", "--detailed-exitcode"});
  CHECK(ended.code == 2);
  CHECK(ended.out.find("  + organization") != std::string::npos);
  CHECK(ended.out.find("digest ") != std::string::npos);
  const auto planned = nlohmann::json::parse(run_here(graftd, {"plan", "-o", "json"}).out);
  CHECK(planned.at("summary").at("create") == 1);
  CHECK(planned.at("summary").at("unknown") == 5);
  const auto applied = nlohmann::json::parse(run_here(graftd, {"apply", "-o", "json"}).out);
  CHECK(applied.at("results").size() == 5);
  for (const auto& result : applied.at("results")) CHECK(result.at("outcome") == "done");
  ended = run_here(graftd, {"plan", "--detailed-exitcode"});
  CHECK(ended.code == 0);
  CHECK(ended.out.find("nothing to do") != std::string::npos);
}

TEST_CASE("exit codes of a cycle that cannot be carried out") {
  Graftd graftd;
  graftd.directory.write("password", "wrong\n");
  CHECK(run_here(graftd, {"plan"}).code == 77);
  for (const char* command : {"plan", "plan", "apply", "apply", "plan"}) CHECK(run_here(graftd, {command}).code == 77);
  CHECK(graftd.simulator.failed_logins() == 1);  // one refusal stops all logins, of plans too
  Ended ended;

  graftd.directory.write("password", "admin\n");
  graftd.simulator.stop_listening();
  ended = run_here(graftd, {"apply"});
  CHECK(ended.code == 69);
  CHECK(ended.err.find("127.0.0.1") != std::string::npos);
  graftd.simulator.start_listening();

  graftd.directory.write("manifests/bad.yaml", ",");
  ended = run_here(graftd, {"apply"});
  CHECK(ended.code == 65);
  CHECK(graftd.organization() == 0);
  std::filesystem::remove(graftd.directory / "manifests/bad.yaml");

  graftd.directory.write("manifests/member.yaml",
                         "apiVersion: graftd/v1\nkind: OrganizationMember\nmetadata: {organization: apiorg}\nspec: "
                         "{login: nobody, role: Viewer}\n");
  CHECK(run_here(graftd, {"apply"}).code == 1);
  CHECK(graftd.key_status() == 200);
}
