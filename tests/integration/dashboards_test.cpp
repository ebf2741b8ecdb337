// Dashboards that read as drift, or cost a version, with a lesser tool: none after creation, ever.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::string with_file(const std::string& organization, const std::string& uid) {
  return fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {0}}}
spec:
  dashboards:
    - {{uid: {1}, file: {1}.json}}
)",
                     organization, uid);
}

std::string one_mebibyte() {
  std::string panels;
  for (int i = 0; i < 2'100; ++i)
    panels += fmt::format(R"({}{{"id":{},"type":"text","title":"p{}","options":{{"content":"{}"}}}})", i > 0 ? "," : "",
                          i + 1, i, std::string(440, 'x'));
  return R"({"title":"Large","schemaVersion":36,"panels":[)" + panels + "]}";
}

}  // namespace

TEST_CASE("no drift after creation, and no second version") {
  struct Row {
    const char *name, *uid;
    std::string model;
  };
  const std::vector<Row> rows{
      {"1 MiB", "large", one_mebibyte()},
      {"unicode and ${…}", "unicode",
       R"({"title":"Zürich 日本 😀 ${host}","panels":[{"type":"text","options":{"content":"${var:raw} \u00e9 \ud83d\ude00 </script> \u2028"}}]})"},
      {"numbers", "numbers",
       R"({"title":"Numbers","a":1.0,"b":1e18,"c":9007199254740993,"d":12345678901234567890,"e":-0.0,"f":1e21,"g":0.1000000000000000055,"h":1e-7})"},
      {"refresh below the minimum", "refresh", R"({"title":"Refresh","refresh":"1s"})"},
      {"refresh above it, and an empty one inside", "refresh2",
       R"({"title":"Refresh","refresh":"1m","panels":[{"refresh":"1s"}]})"},
      {"id null", "idnull", R"({"id":null,"uid":"idnull","version":7,"title":"Id null"})"},
      {"an id of another server", "idnumber", R"({"id":4711,"title":"Id"})"},
      {"blanks round the title", "blanks", R"({"title":"  Blanks  "})"},
      {"doubled tags", "tags", R"({"title":"Tags","tags":["a","b","a"]})"},
      {"nulls, empty lists and maps", "empties",
       R"({"title":"Empties","a":null,"b":[],"c":{},"annotations":{"list":[]}})"},
      {"wrapped as the HTTP API takes it", "wrapped",
       R"({"dashboard":{"uid":"wrapped","title":"Wrapped"},"folderUid":"x","overwrite":true})"},
      {"as Grafana's own object", "object",
       R"({"apiVersion":"dashboard.grafana.app/v0alpha1","kind":"Dashboard","metadata":{"name":"object"},"spec":{"title":"Object"}})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world(World::Kind::real_if_there);
    world.manifest("o.yaml", with_file(world.organization(), row.uid));
    world.manifest(std::string(row.uid) + ".json", row.model);
    const reconcile::Report first = world.apply();
    const std::string trouble = problems(first);
    CAPTURE(trouble);
    REQUIRE(first.converged());
    const reconcile::Report second = world.apply();
    const auto planned = changes(second);
    CAPTURE(planned);
    CHECK(second.plan.actions.empty());
    CHECK(world.dashboard(row.uid).at("metadata").at("generation") == 1);
  }
}

TEST_CASE("a dashboard at the root is made with default permissions, one in a folder inherits") {
  World world;
  world.manifest("o.yaml", fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {}}}
spec:
  folders: [{{uid: f, title: F}}]
  dashboards:
    - {{uid: root, model: {{title: Root}}}}
    - {{uid: inside, folder: f, model: {{title: Inside}}}}
)",
                                       world.organization()));
  REQUIRE(world.apply().converged());
  for (const auto& request : world.simulator->requests()) {
    if (request.method != "POST" || request.route.find("dashboards") == std::string::npos) continue;
    const bool root = request.body.find("\"name\":\"root\"") != std::string::npos;
    CHECK((request.body.find("grant-permissions") != std::string::npos) == root);
  }
}

TEST_CASE("annotations and labels of others are kept by an update") {
  World world(World::Kind::real_if_there);
  world.manifest("o.yaml", with_file(world.organization(), "d"));
  world.manifest("d.json", R"({"title":"One"})");
  REQUIRE(world.apply().converged());
  nlohmann::json object = world.dashboard("d");
  object["metadata"]["annotations"]["example.org/team"] = "blue";
  const std::string path =
      fmt::format("/apis/dashboard.grafana.app/v0alpha1/namespaces/org-{}/dashboards/d", world.organization_id());
  REQUIRE(world.admin->put(path, object.dump()).status == 200);
  CHECK(world.plan().plan.actions.empty());
  world.manifest("d.json", R"({"title":"Two"})");
  REQUIRE(world.apply().converged());
  object = world.dashboard("d");
  CHECK(object["spec"]["title"] == "Two");
  CHECK(object["metadata"]["annotations"]["example.org/team"] == "blue");
}

TEST_CASE("an edit between our reading and our writing is not overwritten unseen (T45)") {
  World world;
  world.manifest("o.yaml", with_file(world.organization(), "d"));
  world.manifest("d.json", R"({"title":"One"})");
  REQUIRE(world.apply().converged());
  world.manifest("d.json", R"({"title":"Two"})");
  const std::string path =
      fmt::format("/apis/dashboard.grafana.app/v0alpha1/namespaces/org-{}/dashboards/d", world.organization_id());
  // Somebody saves between our reading and our PUT: Grafana answers 409 for a stale resourceVersion.
  simulator::Fault conflict;
  conflict.kind = simulator::Fault::Kind::status;
  conflict.method = "PUT";
  conflict.status = 409;
  conflict.body =
      R"({"kind":"Status","status":"Failure","message":"the object has been modified","reason":"Conflict","code":409})";
  world.simulator->add_fault(conflict);
  const reconcile::Report report = world.apply();
  REQUIRE(report.results.size() == 1);
  CHECK(report.results[0].outcome == reconcile::Outcome::failed);
  CHECK(report.results[0].error.code == ErrorCode::conflict);
  CHECK(report.results[0].error.retryable);
  REQUIRE(world.admin->put(path, R"({"metadata":{"name":"d"},"spec":{"title":"Theirs"}})").status == 200);
  CHECK(world.apply().converged());
  CHECK(world.dashboard("d")["spec"]["title"] == "Two");
}
