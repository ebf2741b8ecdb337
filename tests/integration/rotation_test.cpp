// The whole life of a token through the real daemon's wiring: rotation by time, by a changed spec, by request and by
// loss; grace; limits; clocks.
#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using simulator::Fault;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr hours day{24};

std::string token_path(const World& world) {
  return world.directory / ("tokens/" + world.organization() + "/test-token");
}

std::uint32_t generation(const World& world) {
  const auto opened = state::open_store(world.settings.state_directory, state::OpenMode::read_only);
  REQUIRE(opened);
  const auto slots = opened->store->slots();
  REQUIRE(slots);
  REQUIRE(slots->size() == 1);
  return slots->front().second.in_use ? slots->front().second.in_use->generation : 0;
}

state::Request answer(const World& world, std::int64_t id) {
  const auto opened = state::open_store(world.settings.state_directory, state::OpenMode::read_only);
  REQUIRE(opened);
  const auto request = opened->store->request(id);
  REQUIRE(request);
  REQUIRE(*request);
  return **request;
}

nlohmann::json listed(const World& world) {
  const std::string path = fmt::format("/api/serviceaccounts/{}/tokens", world.account_id());
  return nlohmann::json::parse(world.admin->get(path, world.organization_id()).body);
}

void delete_all_tokens(const World& world) {
  for (const auto& token : listed(world))
    REQUIRE(world.admin
                ->del(fmt::format("/api/serviceaccounts/{}/tokens/{}", world.account_id(), token.at("id").get<long>()),
                      world.organization_id())
                .status == 200);
}

}  // namespace

TEST_CASE("lives of seconds: a key is replaced before it expires, both live through the grace, then one is left") {
  World world(World::Kind::real_if_there);
  world.settings.minimum_grace = seconds(2);
  world.settings.orphan_age = seconds(2);
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 16s, rotateBefore: 8s, grace: 3s"));
  REQUIRE(world.apply().converged());
  std::string key = world.key_file();
  for (int rotation = 1; rotation <= 2; ++rotation) {
    CAPTURE(rotation);
    const std::string old_key = key;
    for (int waited = 0; waited < 16 && key == old_key; ++waited) {
      CHECK(world.key_status(old_key) == 200);  // at no time is the key of the file refused
      world.pass(seconds(1));
      const reconcile::Report report = world.apply();
      CAPTURE(problems(report));
      CHECK(report.converged());
      CHECK(report.wake_at.has_value());
      key = world.key_file();
    }
    REQUIRE(key != old_key);
    CHECK(world.key_status(old_key) == 200);
    CHECK(world.key_status(key) == 200);
    CHECK(world.tokens().size() == 2);
    for (int waited = 0; waited < 7 && world.key_status(old_key) == 200; ++waited) {
      CHECK(waited < 6);
      world.pass(seconds(1));
      CHECK(world.apply().converged());
    }
    CHECK(world.key_status(key) == 200);
    CHECK(world.tokens().size() == 1);
  }
  CHECK(generation(world) == 3);
}

TEST_CASE("the default: a month's key is replaced in its last third, not earlier, and its end is never reached") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string old_key = world.key_file();
  world.pass(18 * day);
  CHECK(world.apply().converged());
  CHECK(world.key_file() == old_key);
  world.pass(2 * day + hours(1));
  const reconcile::Report report = world.plan();
  CHECK(changes(report) == std::vector<std::string>{"token:test/test-token /key"});
  CHECK(report.plan.actions.at(0).verdict.changes.at(0).before.find("expires in 9d") != std::string::npos);
  CHECK(world.key_file() == old_key);
  CHECK(world.apply().converged());
  CHECK(world.key_file() != old_key);
  CHECK(world.key_status(old_key) == 200);
  world.pass(hours(25));
  CHECK(world.apply().converged());
  CHECK(world.key_status(old_key) == 401);
  CHECK(world.tokens().size() == 1);
}

TEST_CASE("a daemon that slept over the end of a key makes a new one, and takes the expired token away") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 1h"));
  REQUIRE(world.apply().converged());
  world.restart();
  for (int i = 0; i < 5; ++i) {  // as often as it happens: this is no storm
    world.pass(hours(2));
    CHECK(world.apply().converged());
    CHECK(world.key_status(world.key_file()) == 200);
  }
  CHECK(world.apply().converged());
  CHECK(listed(world).size() == 1);
}

TEST_CASE("a changed ttl is a new key; a changed rotateBefore or grace is not") {
  World world(World::Kind::real_if_there);
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d, rotateBefore: 5d, grace: 1h"));
  CHECK(world.plan().plan.actions.empty());
  for (const char* ttl : {"ttl: 60d", "ttl: never", "ttl: 2h"}) {
    CAPTURE(ttl);
    const std::string before = world.key_file();
    world.manifest("o.yaml", one_token(world.organization(), ttl));
    CHECK(changes(world.plan()) == std::vector<std::string>{"token:test/test-token /key"});
    CHECK(world.apply().converged());
    CHECK(world.key_file() != before);
    CHECK(world.key_status(before) == 200);
    CHECK(world.plan().plan.actions.empty());
  }
  CHECK(world.key_status(key) == 200);
}

TEST_CASE("another file for the key: a new key there, without haste for the old one") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  world.restart();
  world.settings.reissues_per_hour = 1;
  for (int move = 0; move < 3; ++move) {
    world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d",
                                       fmt::format("[{{file: {{path: {}/moved-{}}}}}]", world.organization(), move)));
    CHECK(world.apply().converged());
    CHECK(world.key_status(world.key_file(fmt::format("{}/moved-{}", world.organization(), move))) == 200);
  }
  CHECK(world.key_status(key) == 200);
}

TEST_CASE("a person asks for a new key, or whether the one there is alive, and is answered") {
  World world(World::Kind::real_if_there);
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();

  const std::int64_t rotate = world.ask(state::Request::Kind::rotate);
  CHECK(changes(world.plan()) == std::vector<std::string>{"token:test/test-token /key"});
  CHECK(answer(world, rotate).state == state::Request::State::open);  // a plan answers nobody
  CHECK(world.apply().converged());
  CHECK(answer(world, rotate).state == state::Request::State::done);
  CHECK(answer(world, rotate).answer.find("generation 2") != std::string::npos);
  CHECK(world.key_file() != key);
  CHECK(world.key_status(key) == 200);
  CHECK(world.plan().plan.actions.empty());

  const std::int64_t verify = world.ask(state::Request::Kind::verify);
  CHECK(world.apply().converged());
  CHECK(answer(world, verify).state == state::Request::State::done);
  CHECK(answer(world, verify).answer.find("alive") != std::string::npos);

  std::filesystem::permissions(world.directory / ("tokens/" + world.organization()), std::filesystem::perms::none);
  std::filesystem::remove_all(world.directory / "tokens");
  world.directory.write("tokens", "a file in the place of the directory");
  const std::int64_t failing = world.ask(state::Request::Kind::rotate);
  CHECK_FALSE(world.apply().converged());
  CHECK(answer(world, failing).state == state::Request::State::failed);
  CHECK(answer(world, failing).answer.find("tokens") != std::string::npos);
  std::filesystem::remove(world.directory / "tokens");
}

TEST_CASE("a token that Grafana revoked is replaced at once, and the revoked one is cleaned up") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  REQUIRE(world.simulator->revoke_token(listed(world).at(0).at("id").get<long>()));
  CHECK(world.key_status(key) == 401);
  const reconcile::Report plan = world.plan();
  CHECK(plan.plan.actions.at(0).verdict.changes.at(0).before.find("revoked") != std::string::npos);
  CHECK(world.apply().converged());
  CHECK(world.key_status(world.key_file()) == 200);
  CHECK(world.apply().converged());
  CHECK(listed(world).size() == 1);
}

TEST_CASE("replacements without a plan are limited to three an hour, over restarts too; asking for one is not") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  for (int loss = 0; loss < 3; ++loss) {
    std::filesystem::remove(token_path(world));
    CHECK(world.apply().converged());
    world.pass(seconds(120));
    world.restart();
  }
  std::filesystem::remove(token_path(world));
  for (int cycle = 0; cycle < 3; ++cycle) {
    const reconcile::Report held = world.apply();
    CHECK(changes(held) == std::vector<std::string>{"wait token:test/test-token"});
    CHECK(problems(held).find("tokens.reissuesPerHour") != std::string::npos);
    CHECK(held.wake_at.has_value());
    world.restart();
  }
  CHECK(world.key_file().empty());
  (void)world.ask(state::Request::Kind::rotate);
  CHECK(world.apply().converged());
  CHECK(world.key_status(world.key_file()) == 200);

  std::filesystem::remove(token_path(world));
  world.pass(hours(1));
  CHECK(world.apply().converged());
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("a Grafana that refuses to make a key for a while does not use up the limit of replacements") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  std::filesystem::remove(token_path(world));
  Fault fault;
  fault.kind = Fault::Kind::status;
  fault.method = "POST";
  fault.route = "/api/serviceaccounts/:accountId/tokens";
  fault.status = 503;
  fault.times = 5;
  world.simulator->add_fault(fault);
  for (int cycle = 0; cycle < 5; ++cycle) CHECK_FALSE(world.apply().converged());
  CHECK(world.apply().converged());
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("ten a minute are ten over all organizations, too") {
  World world;
  std::string manifest;
  for (int i = 0; i < 15; ++i)
    manifest += fmt::format(
        "---\napiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {0}-{1}}}\nspec:\n  serviceAccounts:\n"
        "    - {{name: test, role: Viewer, tokens: [{{name: t, ttl: 30d, deliverTo: [{{file: {{path: o{1}}}}}]}}]}}\n",
        world.organization(), i);
  world.manifest("o.yaml", manifest);
  REQUIRE(world.apply().converged());
  for (int i = 0; i < 15; ++i) std::filesystem::remove(world.directory / fmt::format("tokens/o{}", i));
  (void)world.apply();
  int files = 0;
  for (int i = 0; i < 15; ++i) files += world.key_file(fmt::format("o{}", i)).empty() ? 0 : 1;
  CHECK(files == 10);
}

TEST_CASE("replacements without a plan are limited to ten a minute over all tokens; first keys are not") {
  World world;
  std::string manifest = fmt::format(
      "apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {0}}}\nspec:\n"
      "  serviceAccounts:\n    - name: test\n      role: Viewer\n      tokens:\n",
      world.organization());
  for (int i = 0; i < 25; ++i)
    manifest += fmt::format("        - {{name: t{0}, ttl: 30d, deliverTo: [{{file: {{path: t{0}}}}}]}}\n", i);
  world.manifest("o.yaml", manifest);
  CHECK(world.apply().converged());
  const auto files = [&] {
    std::size_t count = 0;
    for (int i = 0; i < 25; ++i) count += world.key_file(fmt::format("t{}", i)).empty() ? 0 : 1;
    return count;
  };
  CHECK(files() == 25);
  for (int i = 0; i < 25; ++i) std::filesystem::remove(world.directory / fmt::format("tokens/t{}", i));
  const reconcile::Report report = world.apply();
  CHECK(files() == 10);
  CHECK(report.count(reconcile::Outcome::failed) == 15);
  CHECK(problems(report).find("tokens.reissuesPerMinute") != std::string::npos);
  world.restart();
  (void)world.apply();
  CHECK(files() == 10);
  world.pass(seconds(61));
  (void)world.apply();
  CHECK(files() == 20);
  world.pass(seconds(61));
  CHECK(world.apply().converged());
  CHECK(files() == 25);
}

TEST_CASE("fifty foreign tokens with names like ours stay untouched over a thousand cycles with rotations (T06)") {
  World world;
  world.settings.minimum_grace = seconds(30);
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 10m, rotateBefore: 5m, grace: 30s"));
  REQUIRE(world.apply().converged());
  const long account = world.account_id();
  const std::string own = listed(world).at(0).at("name").get<std::string>();
  std::vector<std::string> names{"test-token",
                                 own + "x",
                                 "x" + own,
                                 own.substr(0, own.size() - 1),
                                 std::string(190, 'a'),
                                 "test-token-g0001-\u0430bcdef",
                                 "TEST-TOKEN-g0001-aaaaaa"};
  for (int i = 0; names.size() < 50; ++i) names.push_back(fmt::format("test-token-g{:04}-{:06}", i + 1, i));
  for (const std::string& name : names)
    REQUIRE(world.admin
                ->post(fmt::format("/api/serviceaccounts/{}/tokens", account), nlohmann::json{{"name", name}}.dump(),
                       world.organization_id())
                .status == 200);
  for (int cycle = 0; cycle < 1'000; ++cycle) {
    REQUIRE(world.apply().converged());
    world.pass(seconds(50));
  }
  const std::uint32_t rotations = generation(world);
  CHECK(rotations > 100);
  const std::vector<std::string> left = world.tokens();
  for (const std::string& name : names) CHECK(std::ranges::find(left, name) != left.end());
  CHECK(left.size() <= names.size() + 2);

  // Another owner is another graftd: the tokens of the old one are foreign to it.
  world.restart();
  world.settings.owner = "somebody-else";
  CHECK(world.apply().converged());
  world.pass(hours(1));
  CHECK(world.apply().converged());
  CHECK(world.tokens().size() >= names.size());
}

TEST_CASE("clocks jump, Grafana's or ours: no key more, none deleted early (T07)") {
  for (const seconds jump : {seconds(3'600), seconds(-3'600), seconds(400 * 86'400), seconds(-400 * 86'400)}) {
    for (const bool server : {false, true}) {
      CAPTURE(jump.count());
      CAPTURE(server);
      World world;
      world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d, grace: 30m"));
      REQUIRE(world.apply().converged());
      (void)world.ask(state::Request::Kind::rotate);
      const std::string old_key = world.key_file();
      REQUIRE(world.apply().converged());
      REQUIRE(world.tokens().size() == 2);
      const std::string key = world.key_file();
      if (server) {
        world.simulator->advance(jump);
      } else {
        world.clock.wall_offset += jump;
      }
      const bool over = server && jump > 30 * day;  // its key has expired indeed
      CHECK(world.apply().converged());
      CHECK((world.key_file() == key) != over);
      CHECK(world.key_status(world.key_file()) == 200);
      if (!over) CHECK(world.key_status(old_key) == 200);
      for (int i = 0; i < 3; ++i) CHECK(world.apply().converged());
      CHECK(generation(world) == (over ? 3U : 2U));
      world.pass(seconds(31 * 60));
      CHECK(world.apply().converged());
      CHECK(world.tokens().size() == 1);
      CHECK(world.key_status(world.key_file()) == 200);
    }
  }
}

TEST_CASE("all tokens deleted by hand, file and store lost together: one new key, and no more") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  world.restart();
  delete_all_tokens(world);
  std::filesystem::remove_all(world.directory / "tokens");
  std::filesystem::remove_all(world.directory / "state");
  CHECK(world.apply().converged());
  CHECK(world.tokens().size() == 1);
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("a lost marker is written again from the store's word, with the same key") {
  World world;
  world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d"));
  REQUIRE(world.apply().converged());
  const std::string key = world.key_file();
  std::filesystem::remove(world.directory / ("tokens/" + world.organization() + "/.test-token.graftd"));
  CHECK(changes(world.plan()) == std::vector<std::string>{"token:test/test-token /deliverTo/0"});
  CHECK(world.apply().converged());
  CHECK(world.key_file() == key);
  CHECK(world.tokens().size() == 1);
  CHECK(world.plan().plan.actions.empty());
}
