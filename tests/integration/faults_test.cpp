// Replies lost, requests refused, Grafana down, proxies in its place: nothing is lost, doubled or left half done.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using simulator::Fault;

namespace {

// Cycles until everything is as declared; the orphan of a lost token reply is waited for by moving the clocks.
int cycles_until_converged(World& world, int limit) {
  for (int cycle = 1; cycle <= limit; ++cycle) {
    const reconcile::Report report = world.apply();
    if (report.converged() && world.plan().plan.actions.empty()) return cycle;
    world.pass(std::chrono::seconds(61));
  }
  return limit + 1;
}

// A request that is not carried out but answered so.
Fault answered(const char* method, const char* route, int status, const char* body) {
  Fault fault;
  fault.kind = Fault::Kind::status;
  fault.method = method;
  fault.route = route;
  fault.status = status;
  fault.body = body;
  return fault;
}

std::size_t requests_of_cold_run() {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  return world.simulator->requests().size();
}

void check_end_state(World& world) {
  CHECK(world.key_status(world.key_file()) == 200);
  CHECK(world.tokens().size() == 1);
  const auto accounts =
      nlohmann::json::parse(world.admin->get("/api/serviceaccounts/search", world.organization_id()).body);
  CHECK(accounts.at("totalCount") == 1);
  const auto organizations = nlohmann::json::parse(world.admin->get("/api/orgs?perpage=1000").body);
  CHECK(organizations.size() == 2);  // Main Org. and ours
}

}  // namespace

TEST_CASE("whichever reply of the cold run is lost, the end is the same: one token, its key alive, nothing doubled") {
  const std::size_t requests = requests_of_cold_run();
  REQUIRE(requests > 10);
  for (const auto kind : {Fault::Kind::drop_reply, Fault::Kind::refuse}) {
    for (std::size_t k = 1; k <= requests; ++k) {
      CAPTURE(k);
      CAPTURE(static_cast<int>(kind));
      World world;
      world.manifest("apiorg.yaml", tutorial(world.organization()));
      Fault fault;
      fault.kind = kind;
      fault.number = k;
      world.simulator->add_fault(fault);
      CHECK(cycles_until_converged(world, 4) <= 4);
      check_end_state(world);
    }
  }
}

TEST_CASE("the reply of the token request cut at any byte: at most one orphan, gone within a minute and a cycle") {
  for (std::size_t bytes = 0; bytes < 400; ++bytes) {
    CAPTURE(bytes);
    World world;
    world.manifest("apiorg.yaml", tutorial(world.organization()));
    Fault fault;
    fault.kind = Fault::Kind::truncate;
    fault.method = "POST";
    fault.route = "/api/serviceaccounts/:accountId/tokens";
    fault.bytes = bytes;
    world.simulator->add_fault(fault);
    (void)world.apply();
    CHECK(world.tokens().size() == 1);
    CHECK(cycles_until_converged(world, 3) <= 3);
    check_end_state(world);
  }
}

TEST_CASE("the reply of the token request comes too late: the same") {
  World world;
  world.timeout = std::chrono::milliseconds(300);
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  Fault fault;
  fault.kind = Fault::Kind::delay;
  fault.method = "POST";
  fault.route = "/api/serviceaccounts/:accountId/tokens";
  fault.delay = std::chrono::milliseconds(1'500);
  world.simulator->add_fault(fault);
  const reconcile::Report late = world.apply();
  CHECK_FALSE(late.converged());
  CHECK(problems(late).find("looked at again") != std::string::npos);
  CHECK(world.tokens().size() == 1);
  CHECK(cycles_until_converged(world, 3) <= 3);
  check_end_state(world);
}

TEST_CASE("an orphan is left alone for its minute, and replaced after it") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  Fault fault;
  fault.kind = Fault::Kind::drop_reply;
  fault.method = "POST";
  fault.route = "/api/serviceaccounts/:accountId/tokens";
  world.simulator->add_fault(fault);
  CHECK_FALSE(world.apply().converged());
  const reconcile::Report second = world.apply();
  CHECK(changes(second) == std::vector<std::string>{"wait token:test/test-token"});
  CHECK(second.wake_at.has_value());
  CHECK(world.tokens().size() == 1);
  world.simulator->advance(std::chrono::seconds(61));
  CHECK(world.apply().converged());
  check_end_state(world);
}

TEST_CASE("a Grafana that cannot be reached stops the cycle, and the next one goes on") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  world.simulator->stop_listening();
  const reconcile::Report down = world.apply();
  REQUIRE(down.stopped);
  CHECK(down.stopped->code == ErrorCode::unavailable);
  CHECK(down.results.empty());
  world.simulator->start_listening();
  CHECK(world.apply().converged());
}

TEST_CASE("whoever answers in Grafana's place is named, and believed nothing") {
  struct Row {
    const char* name;
    int status;
    const char *type, *body;
    std::map<std::string, std::string> headers;
    ErrorCode code;
  };
  const std::vector<Row> rows{
      {"login page", 200, "text/html", "<html>Sign in</html>", {}, ErrorCode::protocol},
      {"redirect", 302, "text/html", "", {{"Location", "https://sso.example.org/"}}, ErrorCode::protocol},
      {"bad gateway", 502, "text/html", "<html>bad gateway</html>", {}, ErrorCode::unavailable},
      {"not JSON", 200, "application/json", "{\"login\":", {}, ErrorCode::protocol},
      {"JSON of another kind", 200, "application/json", "[]", {}, ErrorCode::protocol},
      {"duplicate keys", 200, "application/json", R"({"login":"a","login":"b"})", {}, ErrorCode::protocol},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world;
    world.manifest("apiorg.yaml", tutorial(world.organization()));
    Fault fault;
    fault.kind = Fault::Kind::status;
    fault.status = row.status;
    fault.content_type = row.type;
    fault.body = row.body;
    fault.headers = row.headers;
    fault.times = 1000;
    world.simulator->add_fault(fault);
    const reconcile::Report report = world.apply();
    REQUIRE(report.stopped);
    CHECK(report.stopped->code == row.code);
    CHECK(world.simulator->write_count() == 0);
  }
}

TEST_CASE("a list that fails is a gap: nothing of it is made, the rest goes on") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  world.simulator->clear_requests();
  Fault fault = answered("GET", "/apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders", 500,
                         R"({"kind":"Status","message":"database is locked"})");
  fault.times = 100;
  world.simulator->add_fault(fault);
  const reconcile::Report report = world.apply();
  CHECK(changes(report) == std::vector<std::string>{"unknown folder:ops"});
  CHECK_FALSE(report.converged());
  CHECK(world.simulator->write_count() == 0);
}

TEST_CASE("one failing resource stops nothing that does not need it; what needs it is skipped and says why") {
  World world;
  world.manifest("o.yaml", fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {}}}
spec:
  members: [{{login: nobody-of-this-name, role: Viewer}}]
  folders:
    - {{uid: bad, title: Bad}}
    - {{uid: child, title: Child, parent: bad}}
    - {{uid: good, title: Good}}
  dashboards:
    - {{uid: in-bad, folder: child, model: {{title: In bad}}}}
    - {{uid: in-good, folder: good, model: {{title: In good}}}}
)",
                                       world.organization()));
  world.simulator->add_fault(
      answered("POST", "/apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders", 403,
               R"({"kind":"Status","status":"Failure","message":"folders quota reached","code":403})"));
  const reconcile::Report report = world.apply();
  std::map<std::string, reconcile::ActionResult> results;
  for (const auto& result : report.results) results[result.key.name] = result;
  CHECK(results.at("nobody-of-this-name").outcome == reconcile::Outcome::failed);
  CHECK(results.at("nobody-of-this-name").error.hint.find("create the user") != std::string::npos);
  CHECK(results.at("bad").outcome == reconcile::Outcome::failed);
  CHECK(results.at("bad").error.where.to_string().find("o.yaml") != std::string::npos);
  CHECK(results.at("child").outcome == reconcile::Outcome::skipped);
  CHECK(results.at("child").error.message.find("needs folder bad") != std::string::npos);
  CHECK(results.at("in-bad").outcome == reconcile::Outcome::skipped);
  CHECK(results.at("good").outcome == reconcile::Outcome::done);
  CHECK(results.at("in-good").outcome == reconcile::Outcome::done);
}

TEST_CASE("bad manifests change nothing: the last good ones stay in force") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  REQUIRE(world.apply().converged());
  world.manifest("bad.yaml",
                 "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: x, organization: nowhere}\nspec: {titel: X}\n");
  REQUIRE(world.admin->del("/api/folders/ops", world.organization_id()).status == 200);
  const reconcile::Report report = world.apply();
  CHECK(report.manifests_rejected);
  CHECK(report.diagnostics.has_errors());
  CHECK_FALSE(report.stopped);
  CHECK(world.admin->get("/api/folders/ops", world.organization_id()).status == 200);  // mended by the last good state
  world.remove_manifest("bad.yaml");
  CHECK(world.apply().converged());
}

TEST_CASE("a server without /apis is refused with a message that says so, and nothing is written") {
  simulator::Options options;
  options.apis = false;
  World world(World::Kind::simulator, options);
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  const reconcile::Report report = world.apply();
  REQUIRE(report.stopped);
  CHECK(report.stopped->code == ErrorCode::unsupported);
  CHECK(report.stopped->hint.find("Grafana 12") != std::string::npos);
  CHECK(world.simulator->write_count() == 0);
}

TEST_CASE("an answer that is no list is never an empty list") {
  for (const char* route :
       {"/api/orgs", "/api/user/orgs", "/api/serviceaccounts/search", "/api/serviceaccounts/:accountId/tokens",
        "/api/orgs/:orgId/users", "/apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders",
        "/apis/dashboard.grafana.app/v0alpha1/namespaces/:namespace/dashboards", "/apis"}) {
    for (const char* body : {"{}", "null", R"({"groups":["x"],"items":{},"serviceAccounts":null})"}) {
      CAPTURE(route);
      CAPTURE(body);
      World world;
      world.manifest("apiorg.yaml", tutorial(world.organization()));
      REQUIRE(world.apply().converged());
      world.simulator->clear_requests();
      world.simulator->add_fault(answered("GET", route, 200, body));
      CHECK_FALSE(world.apply().converged());
      CHECK(world.simulator->write_count() == 0);
    }
  }
}
