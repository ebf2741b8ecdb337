// Logins: a wrong password never locks a human out, and a service-account key works for one organization.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;

TEST_CASE("a wrong password: one try, then silence; the human admin is never locked out (T24)") {
  World world;  // the simulator locks after five failures, as Grafana does
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  world.directory.write("password", "wrong\n");
  const reconcile::Report first = world.apply();
  REQUIRE(first.stopped);
  CHECK(first.stopped->code == ErrorCode::unauthenticated);
  CHECK(world.simulator->failed_logins() == 1);
  for (int restart = 0; restart < 50; ++restart) {
    world.restart();
    const reconcile::Report again = world.apply();
    REQUIRE(again.stopped);
    CHECK(again.stopped->code == ErrorCode::blocked);
  }
  CHECK(world.simulator->failed_logins() == 1);
  CHECK(world.admin->get("/api/org").status == 200);

  // A day of accelerated cycles: at most one try in six minutes.
  for (int minute = 0; minute < 24 * 60; ++minute) {
    world.pass(std::chrono::seconds(60));
    if (minute % 60 == 0) world.restart();
    (void)world.apply();
    CHECK(world.admin->get("/api/org").status == 200);
  }
  CHECK(world.simulator->failed_logins() <= 24 * 10 + 1);

  world.directory.write("password", "admin\n");
  CHECK(world.apply().converged());
}

TEST_CASE(
    "a password that has worked gets one more try after a minute, since a locked database looks like a wrong one") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  simulator::Fault locked;
  locked.kind = simulator::Fault::Kind::status;
  locked.status = 401;
  locked.body = R"({"message":"Invalid username or password","messageId":"password-auth.failed","statusCode":401})";
  world.simulator->add_fault(locked);
  REQUIRE(world.apply().stopped);
  world.restart();
  CHECK(world.apply().stopped->code == ErrorCode::blocked);
  world.clock.offset += std::chrono::seconds(61);
  CHECK(world.apply().converged());
}

TEST_CASE("a password changed in the middle of a cycle stops all logins") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  world.simulator->clear_requests();
  const std::size_t before = world.simulator->failed_logins();
  bool changed = false;
  world.simulator->on_request([&](const simulator::RequestRecord& request) {
    if (changed || request.route != "/api/user/orgs") return;
    changed = true;
    simulator::Fault refused;
    refused.kind = simulator::Fault::Kind::status;
    refused.status = 401;
    refused.body = R"({"message":"Invalid username or password","messageId":"password-auth.failed","statusCode":401})";
    refused.times = 100;
    world.simulator->add_fault(refused);
  });
  (void)world.apply();
  std::size_t refused = 0;
  for (const auto& request : world.simulator->requests()) refused += request.status == 401 ? 1 : 0;
  CHECK(refused >= 1);
  CHECK(refused <= 2);  // what was in flight together
  CHECK(before == 0);
}

TEST_CASE(
    "a Grafana that refuses every seventh request (a locked database) is not asked often enough to lock the admin") {
  World world;
  for (int i = 0; i < 20; ++i)
    world.manifest(fmt::format("o{}.yaml", i), tutorial(fmt::format("{}-{}", world.organization(), i)));
  REQUIRE(world.apply().converged());
  std::size_t refused = 0;
  world.simulator->clear_requests();
  world.simulator->on_request([&](const simulator::RequestRecord& request) {
    refused += request.status == 401 ? 1 : 0;
    if (request.number % 7 != 6) return;
    simulator::Fault locked;
    locked.kind = simulator::Fault::Kind::status;
    locked.status = 401;
    locked.body = R"({"message":"Invalid username or password","messageId":"password-auth.failed","statusCode":401})";
    world.simulator->add_fault(locked);
  });
  const reconcile::Report plan = world.plan();
  CHECK(plan.logins_stopped);
  CHECK(refused >= 1);
  CHECK(refused <= 2);
}

TEST_CASE("two declarations of one user are refused, and its role does not change at every cycle") {
  World world(World::Kind::real_if_there);
  const std::string login = world.organization() + "-jane";
  REQUIRE(world.admin
              ->post("/api/admin/users",
                     fmt::format(R"({{"login":"{0}","email":"{0}@example.org","password":"secret-pw"}})", login))
              .status == 200);
  world.manifest("o.yaml",
                 fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {0}}}\nspec: {{members: "
                             "[{{login: {1}, role: Editor}}, {{email: {1}@example.org, role: Viewer}}]}}\n",
                             world.organization(), login));
  (void)world.apply();
  const reconcile::Report report = world.apply();
  CHECK(problems(report).find("are one user") != std::string::npos);
  CHECK(report.count(reconcile::Outcome::done) <= 1);
  const reconcile::Report again = world.apply();
  CHECK(again.count(reconcile::Outcome::done) == 0);
}

TEST_CASE("with a service-account key: what lives in its organization is done, the rest is refused with the reason") {
  World world(World::Kind::real_if_there);
  REQUIRE(world.admin->post("/api/orgs", fmt::format(R"({{"name":"{}"}})", world.organization())).status == 200);
  const long org = world.organization_id();
  const auto account =
      nlohmann::json::parse(world.admin->post("/api/serviceaccounts", R"({"name":"graftd","role":"Admin"})", org).body);
  const auto token = nlohmann::json::parse(
      world.admin
          ->post(fmt::format("/api/serviceaccounts/{}/tokens", account.at("id").get<long>()), R"({"name":"own"})", org)
          .body);
  world.directory.write("key", token.at("key").get<std::string>() + "\n");
  world.settings.username.clear();
  world.settings.password_file.clear();
  world.settings.token_file = world.directory / "key";
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  world.manifest("other.yaml",
                 "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: t-acc-other}\nspec: {folders: [{uid: a, "
                 "title: A}]}\n");

  const reconcile::Report plan = world.plan();
  CAPTURE(problems(plan));
  CHECK(changes(plan) == std::vector<std::string>{"blocked organization:t-acc-other", "blocked member:admin",
                                                  "+service account:test", "+token:test/test-token", "+folder:ops",
                                                  "+dashboard:production-overview", "blocked folder:a"});
  const reconcile::Report report = world.apply();
  CHECK(report.count(reconcile::Outcome::done) == 4);
  CHECK(report.count(reconcile::Outcome::failed) == 3);
  CHECK(report.count(reconcile::Outcome::skipped) == 0);
  CHECK(world.key_status(world.key_file()) == 200);
}

TEST_CASE("a key of an account that is no Admin makes nothing: absent cannot be told from hidden") {
  World world(World::Kind::real_if_there);
  REQUIRE(world.admin->post("/api/orgs", fmt::format(R"({{"name":"{}"}})", world.organization())).status == 200);
  const long org = world.organization_id();
  const auto account = nlohmann::json::parse(
      world.admin->post("/api/serviceaccounts", R"({"name":"graftd","role":"Editor"})", org).body);
  const auto token = nlohmann::json::parse(
      world.admin
          ->post(fmt::format("/api/serviceaccounts/{}/tokens", account.at("id").get<long>()), R"({"name":"own"})", org)
          .body);
  world.directory.write("key", token.at("key").get<std::string>());
  world.settings.username.clear();
  world.settings.password_file.clear();
  world.settings.token_file = world.directory / "key";
  world.manifest("o.yaml", fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {}}}\nspec: "
                                       "{{folders: [{{uid: a, title: A}}]}}\n",
                                       world.organization()));
  const reconcile::Report plan = world.plan();
  CHECK(changes(plan) == std::vector<std::string>{"unknown folder:a"});
}

TEST_CASE("our own login cannot be declared as less than Admin") {
  World world;
  world.manifest("o.yaml", fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {}}}\nspec: "
                                       "{{members: [{{login: ADMIN, role: Viewer}}]}}\n",
                                       world.organization()));
  const reconcile::Report report = world.apply();
  CHECK(report.count(reconcile::Outcome::failed) == 1);
  CHECK(problems(report).find("must stay Admin") != std::string::npos);
}

TEST_CASE("an organization that nobody declares must be there") {
  World world;
  world.manifest(
      "f.yaml",
      fmt::format("apiVersion: graftd/v1\nkind: Folder\nmetadata: {{uid: a, organization: {}}}\nspec: {{title: A}}\n",
                  world.organization()));
  reconcile::Report report = world.apply();
  CHECK_FALSE(report.converged());
  CHECK(problems(report).find("no manifest declares this organization") != std::string::npos);
  REQUIRE(world.admin->post("/api/orgs", fmt::format(R"({{"name":"{}"}})", world.organization())).status == 200);
  report = world.apply();
  CHECK(report.converged());
}

TEST_CASE("every request in an organization names it, and the active organization is never switched") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  const std::string org = std::to_string(world.organization_id());
  for (const auto& request : world.simulator->requests()) {
    CAPTURE(request.route);
    CHECK(request.path.find("orgId=") == std::string::npos);
    CHECK(request.route.find("using") == std::string::npos);
    const bool inside =
        request.route.starts_with("/api/serviceaccounts") || request.route.find(":namespace") != std::string::npos;
    if (inside) CHECK(request.org_header == org);
  }
}
