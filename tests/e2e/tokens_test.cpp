// graftd tokens, with and without a daemon; rotation by a daemon that runs; and where no key may be.
#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <unistd.h>

#include "e2e/graftd.hpp"
#include "e2e/secrets.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::seconds;
using test_support::eventually;

namespace {

struct Ended {
  int code;
  std::string out, err;
};

Ended run_here(const Graftd& graftd, std::vector<std::string> arguments) {
  auto process = graftd.start(std::move(arguments));
  const int code = process->wait();
  return {code, process->out(), process->err()};
}

const std::string slot = "apiorg/test/test-token";

int status_of(const Graftd& graftd, const std::string& key) {
  return test_support::request(graftd.simulator.url(), "GET", "/api/user", {{"Authorization", "Bearer " + key}}).status;
}

// The memory of a process that may be read, searched for a text.
std::size_t times_in_memory(pid_t process, const std::string& text) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  const int memory = ::open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY);
  REQUIRE(memory >= 0);
  std::size_t found = 0;
  std::string buffer;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx rw", &begin, &end) != 2 || line.find(" rw") == std::string::npos) continue;
    constexpr std::uint64_t piece = 1U << 22U, most = 1U << 30U;
    if (end - begin > most) continue;  // the shadow memory of AddressSanitizer
    for (std::uint64_t at = begin; at < end; at += piece) {
      buffer.resize(std::min(piece + text.size(), end - at));
      const ssize_t size = ::pread(memory, buffer.data(), buffer.size(), static_cast<off_t>(at));
      if (size <= 0) break;
      const std::string_view part(buffer.data(), static_cast<std::size_t>(size));
      for (std::size_t hit = part.find(text); hit != part.npos && hit < piece; hit = part.find(text, hit + 1)) ++found;
    }
  }
  ::close(memory);
  return found;
}

}  // namespace

TEST_CASE("tokens without a daemon: listed, replaced, asked about; wrong names are named") {
  Graftd graftd;
  REQUIRE(graftd.run("apply") == 0);
  const std::string key = graftd.key();

  const Ended listed = run_here(graftd, {"tokens", "list"});
  CHECK(listed.code == 0);
  CHECK(listed.out.find(slot) != std::string::npos);
  CHECK(listed.out.find("in use") != std::string::npos);
  CHECK((listed.out.find("in 29d 23h") != std::string::npos || listed.out.find("in 30d") != std::string::npos));
  CHECK(listed.out.find("file apiorg/test-token") != std::string::npos);
  CHECK(listed.out.find(key) == std::string::npos);
  const auto json = nlohmann::json::parse(run_here(graftd, {"tokens", "list", "-o", "json"}).out);
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("slot") == slot);
  CHECK(json[0].at("generation") == 1);
  CHECK(json[0].at("serviceAccount") == "test");
  CHECK(json[0].at("expiresAt").is_string());

  const Ended rotated = run_here(graftd, {"tokens", "rotate", slot});
  CHECK(rotated.code == 0);
  CHECK(rotated.out == slot + ": generation 2 is delivered to file apiorg/test-token\n");
  CHECK(graftd.key() != key);
  CHECK(status_of(graftd, key) == 200);
  CHECK(graftd.key_status() == 200);

  const Ended alive = run_here(graftd, {"tokens", "verify", "-o", "json"});
  CHECK(alive.code == 0);
  CHECK(nlohmann::json::parse(alive.out).at(0).at("outcome") == "done");

  const std::string before = graftd.key();
  std::filesystem::remove(graftd.directory / "tokens/apiorg/test-token");
  const Ended missing = run_here(graftd, {"tokens", "verify", slot});
  CHECK(missing.code == 1);
  CHECK(missing.out.find("the key is missing") != std::string::npos);
  CHECK(graftd.key().empty());  // who asks does not change
  CHECK(status_of(graftd, before) == 200);
  CHECK(run_here(graftd, {"tokens", "list"}).out.find("attention") != std::string::npos);
  CHECK(graftd.run("apply") == 0);

  const Ended unknown = run_here(graftd, {"tokens", "rotate", "apiorg/test/test-tokem"});
  CHECK(unknown.code == 64);
  CHECK(unknown.err.find("did you mean " + slot) != std::string::npos);
  const Ended plan = run_here(graftd, {"plan", "--detailed-exitcode"});
  CHECK(plan.code == 0);  // nothing was left behind
}

TEST_CASE("tokens with a daemon: it is told, acts at once, and the answer comes back") {
  Graftd graftd;
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  const std::string key = graftd.key();
  const auto begun = std::chrono::steady_clock::now();
  const Ended rotated = run_here(graftd, {"tokens", "rotate", slot});
  CHECK(rotated.code == 0);
  CHECK(rotated.out == slot + ": generation 2 is delivered to file apiorg/test-token\n");
  CHECK(std::chrono::steady_clock::now() - begun < seconds(20));  // and not at the next interval
  CHECK(graftd.key() != key);
  CHECK(status_of(graftd, key) == 200);
  CHECK(run_here(graftd, {"tokens", "verify"}).code == 0);
  CHECK(run_here(graftd, {"tokens", "list"}).out.find(slot) != std::string::npos);

  graftd.directory.write("tokens-moved", "");
  std::filesystem::rename(graftd.directory / "tokens", graftd.directory / "tokens-away");
  graftd.directory.write("tokens", "a file in the place of the directory");
  const Ended failed = run_here(graftd, {"tokens", "rotate", slot});
  CHECK(failed.code == 1);
  CHECK(failed.out.find("failed: ") != std::string::npos);
  CHECK(status_of(graftd, graftd.directory.read("tokens-away/apiorg/test-token")) == 200);
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: a life of seconds is rotated by the daemon itself, long before its interval is over") {
  Graftd graftd;
  graftd.directory.write("manifests/apiorg.yaml", R"(apiVersion: graftd/v1
kind: Organization
metadata: {name: apiorg}
spec:
  serviceAccounts:
    - name: test
      role: Viewer
      tokens: [{name: test-token, ttl: 8s, rotateBefore: 4s, grace: 1s, deliverTo: [{file: {path: apiorg/test-token}}]}]
)");
  graftd.directory.write("graftd.yaml", graftd.directory.read("graftd.yaml"));
  auto daemon = graftd.start({"run", "--tokens-minimum-grace", "1s"});
  REQUIRE(eventually([&] { return !graftd.key().empty(); }));
  const std::string first = graftd.key();
  REQUIRE(eventually([&] { return graftd.key() != first && !graftd.key().empty(); }));
  const std::string second = graftd.key();
  CHECK(status_of(graftd, second) == 200);
  REQUIRE(eventually([&] { return graftd.key() != second && !graftd.key().empty(); }));
  CHECK(graftd.key_status() == 200);
  CHECK(eventually([&] { return graftd.tokens() <= 2; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("no key stays in the memory of a daemon that has handed it over") {
  Graftd graftd;
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  (void)run_here(graftd, {"tokens", "rotate", slot});
  REQUIRE(daemon->wait_for("generation=2"));
  ::usleep(200'000);
  for (const std::string& key : graftd.simulator.issued_keys())
    CHECK(times_in_memory(daemon->pid(), key.substr(5, 32)) == 0);
  CHECK(times_in_memory(daemon->pid(), "graftd-test") > 0);  // the search itself works: its own paths are there
  CHECK(ends_well(*daemon));
}

TEST_CASE("canaries: the password and every key are found nowhere outside the sinks (T50)") {
  simulator::Options options;
  options.admin_password = "Canary-Passwort-7f3a91c5";
  Graftd graftd(options);
  graftd.directory.write("password", options.admin_password + "\n");
  graftd.configure("log: {level: debug}\n");
  const std::map<std::string, std::string> short_times{{"GRAFTD_TOKENS_MINIMUM_GRACE", "1s"},
                                                       {"GRAFTD_TOKENS_ORPHAN_AGE", "1s"}};
  Haystack haystack;
  const auto keep = [&](std::vector<std::string> arguments) {
    auto process = graftd.start(std::move(arguments), short_times);
    haystack.take_process(process->pid());
    (void)process->wait();
    haystack.add("out", process->out());
    haystack.add("err", process->err());
  };
  const auto fault = [&](simulator::Fault::Kind kind, std::size_t bytes) {
    simulator::Fault one;
    one.kind = kind;
    one.method = "POST";
    one.route = "/api/serviceaccounts/:accountId/tokens";
    one.bytes = bytes;
    if (kind == simulator::Fault::Kind::reply_raw) {
      one.status = 500;
      one.body = R"({"message":"the key is glsa_no"})";
    }
    graftd.simulator.add_fault(one);
  };
  keep({"plan"});
  keep({"apply", "-o", "json"});
  for (const std::size_t cut : {0UL, 60UL, 150UL, 200UL, 230UL, 260UL, 290UL}) {
    fault(simulator::Fault::Kind::truncate, cut);
    keep({"tokens", "rotate", slot, "-o", "json"});
    graftd.simulator.advance(seconds(5));
    keep({"apply"});
  }
  fault(simulator::Fault::Kind::drop_reply, 0);
  keep({"tokens", "rotate", slot});
  graftd.simulator.advance(seconds(5));
  keep({"apply"});
  fault(simulator::Fault::Kind::reply_raw, 0);
  keep({"tokens", "rotate", slot});
  graftd.simulator.advance(seconds(5));
  keep({"plan", "-o", "json"});
  keep({"apply"});
  keep({"tokens", "verify"});
  keep({"tokens", "list"});
  keep({"tokens", "list", "-o", "json"});
  {
    auto daemon = graftd.start({"run"}, short_times);
    REQUIRE(daemon->wait_for("msg=\"cycle done\""));
    haystack.take_process(daemon->pid());
    keep({"tokens", "rotate", slot});
    keep({"tokens", "verify"});
    daemon->signal(SIGHUP);
    daemon->wait_for("configuration reloaded");
    daemon->signal(SIGTERM);
    (void)daemon->wait();
    haystack.add("daemon out", daemon->out());
    haystack.add("daemon err", daemon->err());
  }
  for (const auto& request : graftd.simulator.requests()) haystack.add("request", request.path + "\n" + request.body);
  haystack.add_files(graftd.directory.path(), {"password", "tokens/apiorg/test-token"});

  std::vector<std::string> secrets = graftd.simulator.issued_keys();
  REQUIRE(secrets.size() >= 10);
  REQUIRE(graftd.directory.read("tokens/apiorg/test-token") == secrets.back());
  secrets.push_back(options.admin_password);
  for (const std::string& secret : secrets)
    for (const std::string& where : haystack.places_of(secret)) CHECK_MESSAGE(false, where);
  CHECK(haystack.size() > 30'000);
  haystack.add("probe", "x" + base64_of("admin:" + options.admin_password) + "x");
  CHECK(haystack.places_of(options.admin_password).size() == 1);  // the search itself works
}
