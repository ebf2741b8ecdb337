// The main job: the tutorial is made, found again, and mended when somebody changes it by hand.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using Strings = std::vector<std::string>;

namespace {

std::string dashboards_path(const World& world, const std::string& uid) {
  return fmt::format("/apis/dashboard.grafana.app/v0alpha1/namespaces/org-{}/dashboards/{}", world.organization_id(),
                     uid);
}

std::string folders_path(const World& world, const std::string& uid) {
  return fmt::format("/apis/folder.grafana.app/v1beta1/namespaces/org-{}/folders/{}", world.organization_id(), uid);
}

long account_id(const World& world) {
  const auto reply = world.admin->get("/api/serviceaccounts/search?query=test", world.organization_id());
  return nlohmann::json::parse(reply.body).at("serviceAccounts").at(0).at("id").get<long>();
}

void edit_object(const World& world, const std::string& path, void (*edit)(nlohmann::json&)) {
  nlohmann::json object = nlohmann::json::parse(world.admin->get(path).body);
  edit(object);
  const auto reply = world.admin->put(path, object.dump());
  REQUIRE(reply.status == 200);
}

}  // namespace

TEST_CASE("a cold run makes exactly the writes needed, and the second cycle makes none") {
  World world;
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  const reconcile::Report first = world.apply();
  CAPTURE(problems(first));
  REQUIRE(first.converged());
  Strings writes;
  for (const auto& request : world.simulator->requests())
    if (request.write()) writes.push_back(request.method + " " + request.route);
  CHECK(writes == Strings{"POST /api/orgs", "POST /api/serviceaccounts", "POST /api/serviceaccounts/:accountId/tokens",
                          "POST /apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders",
                          "POST /apis/dashboard.grafana.app/v0alpha1/namespaces/:namespace/dashboards"});

  world.simulator->clear_requests();
  const reconcile::Report second = world.apply();
  CHECK(second.converged());
  CHECK(second.plan.actions.empty());
  CHECK(second.plan.in_sync == 6);
  CHECK(world.simulator->write_count() == 0);

  world.restart();
  world.simulator->clear_requests();
  CHECK(world.apply().converged());
  CHECK(world.simulator->write_count() == 0);
}

TEST_CASE("the key lies in its file, with mode 0600, alive, and of the declared account") {
  World world(World::Kind::real_if_there);
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  const reconcile::Report report = world.apply();
  CAPTURE(problems(report));
  REQUIRE(report.converged());
  const std::string key = world.key_file();
  CHECK(key.starts_with("glsa_"));
  CHECK(key.size() == 46);
  CHECK(world.key_status(key) == 200);
  struct stat status{};
  REQUIRE(::stat((world.directory / ("tokens/" + world.organization() + "/test-token")).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const auto user = nlohmann::json::parse(
      test_support::request(world.url, "GET", "/api/user", {{"Authorization", "Bearer " + key}}).body);
  CHECK(user.at("orgId").get<long>() == world.organization_id());
  CHECK(user.at("login") == fmt::format("sa-{}-test", world.organization_id()));
  CHECK(world.tokens().size() == 1);
}

TEST_CASE("a plan says of an organization that is not made yet that its content is not known, and writes nothing") {
  World world(World::Kind::real_if_there);
  world.manifest("apiorg.yaml", tutorial(world.organization()));
  const reconcile::Report plan = world.plan();
  CAPTURE(problems(plan));
  CHECK(changes(plan) == Strings{"+organization:" + world.organization(), "unknown member:admin",
                                 "unknown service account:test", "unknown token:test/test-token", "unknown folder:ops",
                                 "unknown dashboard:production-overview"});
  CHECK(world.organization_id() == 0);
}

TEST_CASE("an organization made by other hands is joined first, and filled in the same run") {
  World world(World::Kind::real_if_there);
  REQUIRE(world.admin->post("/api/orgs", fmt::format(R"({{"name":"{}"}})", world.organization())).status == 200);
  // We are its Admin by having made it; another Admin must be there before we can leave.
  const long org = world.organization_id();
  const std::string other = world.organization() + "-user";
  REQUIRE(
      world.admin->post("/api/admin/users", fmt::format(R"({{"login":"{}","password":"secret-pw"}})", other)).status ==
      200);
  REQUIRE(world.admin
              ->post(fmt::format("/api/orgs/{}/users", org),
                     fmt::format(R"({{"loginOrEmail":"{}","role":"Admin"}})", other))
              .status == 200);
  REQUIRE(world.admin->del(fmt::format("/api/orgs/{}/users/1", org)).status == 200);

  world.manifest("apiorg.yaml", tutorial(world.organization()));
  const reconcile::Report plan = world.plan();
  CHECK(changes(plan).at(0) == "organization:" + world.organization() + " /membership");
  CHECK(changes(plan).at(1) == "unknown member:admin");
  const reconcile::Report report = world.apply();
  CAPTURE(problems(report));
  CHECK(report.converged());
  CHECK(world.key_status(world.key_file()) == 200);
  CHECK(world.plan().plan.actions.empty());
}

TEST_CASE("hand edits of each kind are named by field and mended in the next cycle") {
  struct Row {
    const char* name;
    void (*edit)(World&);
    Strings planned;
  };
  const std::vector<Row> rows{
      {"member's role changed",
       [](World& w) {
         // Another Admin first, since an organization keeps at least one.
         const std::string other = w.organization() + "-second";
         (void)w.admin->post("/api/admin/users", fmt::format(R"({{"login":"{}","password":"secret-pw"}})", other));
         (void)w.admin->post(fmt::format("/api/orgs/{}/users", w.organization_id()),
                             fmt::format(R"({{"loginOrEmail":"{}","role":"Admin"}})", other));
         REQUIRE(
             w.admin->patch(fmt::format("/api/orgs/{}/users/1", w.organization_id()), R"({"role":"Viewer"})").status ==
             200);
       },
       {"organization:ORG /membership", "unknown member:admin", "unknown service account:test",
        "unknown token:test/test-token", "unknown folder:ops", "unknown dashboard:production-overview"}},
      {"account's role changed",
       [](World& w) {
         REQUIRE(w.admin
                     ->patch(fmt::format("/api/serviceaccounts/{}", account_id(w)),
                             R"({"name":"test","role":"Viewer"})", w.organization_id())
                     .status == 200);
       },
       {"service account:test /role"}},
      {"account disabled",
       [](World& w) {
         REQUIRE(w.admin
                     ->patch(fmt::format("/api/serviceaccounts/{}", account_id(w)),
                             R"({"name":"test","isDisabled":true})", w.organization_id())
                     .status == 200);
       },
       {"service account:test /disabled"}},
      {"account renamed",
       [](World& w) {
         REQUIRE(w.admin
                     ->patch(fmt::format("/api/serviceaccounts/{}", account_id(w)), R"({"name":"tset"})",
                             w.organization_id())
                     .status == 200);
       },
       {"service account:test /name"}},
      {"account deleted",
       [](World& w) {
         REQUIRE(w.admin->del(fmt::format("/api/serviceaccounts/{}", account_id(w)), w.organization_id()).status ==
                 200);
       },
       {"+service account:test", "token:test/test-token /key"}},
      {"folder renamed",
       [](World& w) { edit_object(w, folders_path(w, "ops"), [](nlohmann::json& f) { f["spec"]["title"] = "Oops"; }); },
       {"folder:ops /title"}},
      {"folder moved",
       [](World& w) {
         REQUIRE(
             w.admin->post("/api/folders", R"({"uid":"elsewhere","title":"Elsewhere"})", w.organization_id()).status ==
             200);
         edit_object(w, folders_path(w, "ops"),
                     [](nlohmann::json& f) { f["metadata"]["annotations"]["grafana.app/folder"] = "elsewhere"; });
       },
       {"folder:ops /parent"}},
      {"folder deleted, and its dashboard with it",
       [](World& w) { REQUIRE(w.admin->del("/api/folders/ops", w.organization_id()).status == 200); },
       {"+folder:ops", "+dashboard:production-overview"}},
      {"dashboard edited",
       [](World& w) {
         edit_object(w, dashboards_path(w, "production-overview"), [](nlohmann::json& d) {
           d["spec"]["title"] = "Prod";
           d["spec"]["extra"] = 1;
         });
       },
       {"dashboard:production-overview /spec/extra", "dashboard:production-overview /spec/title"}},
      {"dashboard retagged",
       [](World& w) {
         edit_object(w, dashboards_path(w, "production-overview"),
                     [](nlohmann::json& d) { d["spec"]["tags"] = {"templated", "mine"}; });
       },
       {"dashboard:production-overview /spec/tags/1"}},
      {"dashboard moved",
       [](World& w) {
         edit_object(w, dashboards_path(w, "production-overview"),
                     [](nlohmann::json& d) { d["metadata"]["annotations"].erase("grafana.app/folder"); });
       },
       {"dashboard:production-overview /folder"}},
      {"dashboard deleted",
       [](World& w) { REQUIRE(w.admin->del(dashboards_path(w, "production-overview")).status == 200); },
       {"+dashboard:production-overview"}},
      {"token deleted",
       [](World& w) {
         const auto path = fmt::format("/api/serviceaccounts/{}/tokens", account_id(w));
         const auto list = nlohmann::json::parse(w.admin->get(path, w.organization_id()).body);
         REQUIRE(
             w.admin->del(fmt::format("{}/{}", path, list.at(0).at("id").get<long>()), w.organization_id()).status ==
             200);
       },
       {"token:test/test-token /key"}},
      {"key file deleted",
       [](World& w) { std::filesystem::remove(w.directory / ("tokens/" + w.organization() + "/test-token")); },
       {"token:test/test-token /key"}},
      {"key file truncated",
       [](World& w) { std::filesystem::resize_file(w.directory / ("tokens/" + w.organization() + "/test-token"), 20); },
       {"token:test/test-token /key"}},
      {"key file replaced by another key of the account",
       [](World& w) {
         const auto made = w.admin->post(fmt::format("/api/serviceaccounts/{}/tokens", account_id(w)),
                                         R"({"name":"by hand"})", w.organization_id());
         REQUIRE(made.status == 200);
         w.directory.write("tokens/" + w.organization() + "/test-token",
                           nlohmann::json::parse(made.body).at("key").get<std::string>());
       },
       {"token:test/test-token /key"}},
      {"the whole organization deleted",
       [](World& w) { REQUIRE(w.admin->del(fmt::format("/api/orgs/{}", w.organization_id()), 1).status == 200); },
       {"+organization:ORG", "unknown member:admin", "unknown service account:test", "unknown token:test/test-token",
        "unknown folder:ops", "unknown dashboard:production-overview"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world(World::Kind::real_if_there);
    world.manifest("apiorg.yaml", tutorial(world.organization()));
    reconcile::Report report = world.apply();
    CAPTURE(problems(report));
    REQUIRE(report.converged());
    row.edit(world);
    Strings planned = row.planned;
    for (std::string& line : planned)
      if (const auto at = line.find("ORG"); at != std::string::npos) line.replace(at, 3, world.organization());
    CHECK(changes(world.plan()) == planned);
    report = world.apply();
    const std::string trouble = problems(report);
    CAPTURE(trouble);
    CHECK(report.converged());
    CHECK(changes(world.plan()).empty());
    CHECK(world.key_status(world.key_file()) == 200);
  }
}
