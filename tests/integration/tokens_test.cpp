// Tokens: sinks that fail, foreign tokens, limits of Grafana, lists that are cut.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using simulator::Fault;

namespace {

std::size_t token_posts(const World& world) {
  std::size_t posts = 0;
  for (const auto& request : world.simulator->requests())
    posts += request.method == "POST" && request.route == "/api/serviceaccounts/:accountId/tokens" ? 1 : 0;
  return posts;
}

std::string token_path(const World& world) {
  return world.directory / ("tokens/" + world.organization() + "/test-token");
}

}  // namespace

TEST_CASE("a token directory that cannot be written: no key is asked for, everything else is done") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  world.directory.write("tokens", "a file in the place of the directory");
  const reconcile::Report report = world.apply();
  CHECK(token_posts(world) == 0);
  CHECK(report.count(reconcile::Outcome::done) == 4);
  CHECK_FALSE(report.converged());
  CHECK(problems(report).find("tokens") != std::string::npos);
  std::filesystem::remove(world.directory / "tokens");
  CHECK(world.apply().converged());
  CHECK(world.tokens().size() == 1);
}

TEST_CASE("a directory in the place of the key file is refused, and left alone") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  std::filesystem::create_directories(token_path(world) + "/inside");
  CHECK_FALSE(world.apply().converged());
  CHECK(token_posts(world) == 0);
  CHECK(std::filesystem::is_directory(token_path(world) + "/inside"));
}

TEST_CASE("foreign tokens are never touched, however their names look") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const long org = world.organization_id();
  const long account = world.account_id();
  const std::vector<std::string> names{
      "test-token", "test-token-g0001", "test-token-g0001-aaaaaa", "test-token-g0002-k3j9x2", "test-token-g9999-zzzzzz",
      "x"};
  for (const std::string& name : names)
    REQUIRE(
        world.admin
            ->post(fmt::format("/api/serviceaccounts/{}/tokens", account), nlohmann::json{{"name", name}}.dump(), org)
            .status == 200);
  for (int cycle = 0; cycle < 3; ++cycle) {
    std::filesystem::remove(token_path(world));
    CHECK(world.apply().converged());
  }
  const std::vector<std::string> left = world.tokens();
  for (const std::string& name : names) CHECK(std::ranges::find(left, name) != left.end());
}

TEST_CASE("a list that is cut at 300 is unknown, never absent: no key is made, none deleted (T08)") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const long org = world.organization_id();
  const long account = world.account_id();
  for (int i = 0; i < 305; ++i)
    REQUIRE(world.admin
                ->post(fmt::format("/api/serviceaccounts/{}/tokens", account), fmt::format(R"({{"name":"a{:03}"}})", i),
                       org)
                .status == 200);
  world.simulator->clear_requests();
  const reconcile::Report report = world.apply();
  CHECK(changes(report) == std::vector<std::string>{"unknown token:test/test-token"});
  CHECK(world.simulator->write_count() == 0);
}

TEST_CASE("Grafana's own limits on lifetimes are explained by the settings' names") {
  for (const auto& [setting, value] : {std::pair("GF_AUTH_API_KEY_MAX_SECONDS_TO_LIVE", "3600"),
                                       std::pair("GF_SERVICE_ACCOUNTS_TOKEN_EXPIRATION_DAY_LIMIT", "2")}) {
    CAPTURE(setting);
    simulator::Options options;
    options.settings[setting] = value;
    World world(World::Kind::simulator, options);
    world.manifest("apiorg.yaml", tutorial(world.organization()));
    const reconcile::Report report = world.apply();
    CHECK(report.count(reconcile::Outcome::failed) == 1);
    CHECK(problems(report).find("token_expiration_day_limit") != std::string::npos);
    CHECK(problems(report).find("api_key_max_seconds_to_live") != std::string::npos);
  }
}

TEST_CASE("superseded tokens live through their grace and are deleted after it") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const std::string old_key = world.key_file();
  std::filesystem::remove(token_path(world));
  REQUIRE(world.apply().converged());
  CHECK(world.key_file() != old_key);
  CHECK(world.key_status(old_key) == 200);  // somebody may still hold it
  CHECK(world.tokens().size() == 2);
  CHECK(world.plan().plan.actions.empty());  // waiting out a grace is neither a change nor a hold
  world.pass(std::chrono::hours(25));
  REQUIRE(world.apply().converged());
  CHECK(world.tokens().size() == 1);
  CHECK(world.key_status(old_key) == 401);
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("ttl: never makes a token without an end") {
  World world(World::Kind::real_if_there);
  world.manifest("o.yaml", fmt::format(R"(apiVersion: graftd/v1
kind: ServiceAccount
metadata: {{name: test, organization: {0}}}
spec:
  role: Viewer
  tokens: [{{name: t, ttl: never, deliverTo: [{{file: {{path: {0}/test-token, mode: "0640"}}}}]}}]
---
apiVersion: graftd/v1
kind: Organization
metadata: {{name: {0}}}
)",
                                       world.organization()));
  const reconcile::Report report = world.apply();
  CAPTURE(problems(report));
  REQUIRE(report.converged());
  CHECK(world.key_status(world.key_file()) == 200);
  struct stat status{};
  REQUIRE(::stat(token_path(world).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
}

TEST_CASE("a lost store and a lost marker are survived without losing the key in use") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  world.restart();
  std::filesystem::remove_all(world.directory / "state");
  CHECK(world.apply().converged());
  CHECK(world.key_file() == key);  // the marker knows it
  CHECK(world.key_status(key) == 200);

  world.restart();
  std::filesystem::remove_all(world.directory / "state");
  std::filesystem::remove(world.directory / ("tokens/" + world.organization() + "/.test-token.graftd"));
  CHECK(world.apply().converged());
  CHECK(world.key_status(key) == 200);  // superseded, and alive until its grace is over
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("no key is found anywhere but in its sink") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  const std::string secret = key.substr(5, 32);
  std::size_t looked_at = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.directory.path())) {
    if (!entry.is_regular_file() || entry.path() == token_path(world)) continue;
    ++looked_at;
    const std::string content =
        world.directory.read(std::filesystem::relative(entry.path(), world.directory.path()).string());
    CHECK_MESSAGE(content.find(secret) == std::string::npos, entry.path().string());
  }
  CHECK(looked_at >= 4);  // manifest, password, store, marker
}

TEST_CASE("the mode of a key file is part of the declaration: it is set right, with the same key") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  REQUIRE(::chmod(token_path(world).c_str(), 0666) == 0);
  CHECK(changes(world.plan()) == std::vector<std::string>{"token:test/test-token /deliverTo/0"});
  CHECK(world.apply().converged());
  struct stat status{};
  REQUIRE(::stat(token_path(world).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(world.key_file() == key);
  CHECK(token_posts(world) == 1);
  CHECK(world.plan().plan.actions.empty());
}
