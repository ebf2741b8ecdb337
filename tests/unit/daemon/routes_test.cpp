// The routes against their description, and what they answer; over real sockets the server itself is tested in
// unit/admin, the whole daemon in e2e.
#include "daemon/routes.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "support/run_coroutine.hpp"

using namespace graft;
using daemon::Trigger;
using nlohmann::json;
using std::chrono::seconds;

namespace {

struct Daemon {
  ManualClock clock;
  status::Board board{clock};
  metrics::Metrics metrics{{"1", "rev", "g++", "tls"}, clock.wall()};
  supervise::Heartbeat heartbeat{clock};
  daemon::Triggers triggers{clock};
  std::shared_ptr<state::Store> store = state::make_memory_store();
  std::vector<admin::Route> routes =
      daemon::make_routes({board, metrics, heartbeat, triggers, clock, [this] { return store; }});

  admin::Response ask(const std::string& path, const std::map<std::string, std::string>& query = {},
                      const std::string& method = "GET") {
    const auto route =
        std::ranges::find_if(routes, [&](const admin::Route& one) { return one.path == path && one.method == method; });
    REQUIRE(route != routes.end());
    admin::Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    return test::run(route->handle(request));
  }
  json document(const std::string& path, const std::map<std::string, std::string>& query = {}) {
    const admin::Response response = ask(path, query);
    REQUIRE(response.status == 200);
    return json::parse(*response.body);
  }
};

}  // namespace

TEST_CASE("routes and their description name the same") {
  const json description = json::parse(std::ifstream(GRAFTD_SOURCE_DIR "/lib/admin/openapi.json"));
  std::set<std::string> described, served;
  for (const auto& [path, methods] : description.at("paths").items())
    for (const auto& [method, operation] : methods.items()) {
      described.insert((method == "get"    ? "GET "
                        : method == "post" ? "POST "
                                           : "? ") +
                       path + ": " + operation.at("summary").get<std::string>());
    }
  Daemon daemon;
  for (const admin::Route& route : daemon.routes) {
    served.insert(std::string(route.method) + " " + std::string(route.path) + ": " + std::string(route.summary));
    CHECK(route.changes == (route.method == "POST"));
  }
  // The stream's and the reload's summaries say more in the description.
  const auto paths = [](const std::set<std::string>& all) {
    std::set<std::string> made;
    for (const std::string& one : all) made.insert(one.substr(0, one.find(':')));
    return made;
  };
  CHECK(paths(described) == paths(served));
}

TEST_CASE("probes: alive is about the loop alone, ready says why not") {
  Daemon daemon;
  CHECK(daemon.ask("/-/healthy").status == 200);
  CHECK(daemon.ask("/livez").status == 200);
  CHECK(daemon.ask("/-/ready").status == 503);
  CHECK(*daemon.ask("/readyz").body == "the first cycle has not ended\n");
  const admin::Response verbose = daemon.ask("/-/ready", {{"verbose", "1"}});
  CHECK(json::parse(*verbose.body) == json{{"ok", false}, {"reason", "the first cycle has not ended"}});
  CHECK(daemon.ask("/-/startup").status == 503);
  daemon.clock.advance(seconds(31));  // without a beat
  CHECK(daemon.ask("/-/healthy").status == 503);
}

TEST_CASE("history: pages, filters, and what is asked wrongly") {
  Daemon daemon;
  std::vector<state::Change> changes;
  for (int i = 0; i < 5; ++i) {
    state::Change change;
    change.at = daemon.clock.wall();
    change.kind = i == 2 ? "Folder" : "Dashboard";
    change.organization = "org";
    change.name = std::to_string(i);
    changes.push_back(change);
  }
  REQUIRE(daemon.store->record(changes, {}, 100, 100));
  json page = daemon.document("/api/v1/history", {{"limit", "2"}});
  REQUIRE(page.at("changes").size() == 2);
  CHECK(page.at("changes").at(0).at("name") == "4");
  CHECK(page.at("more") == true);
  page = daemon.document("/api/v1/history",
                         {{"limit", "3"}, {"before", std::to_string(page.at("changes").at(1).at("id").get<long>())}});
  CHECK(page.at("changes").size() == 3);
  CHECK(page.at("more") == false);
  CHECK(daemon.document("/api/v1/history", {{"kind", "Folder"}}).at("changes").size() == 1);
  CHECK(daemon.document("/api/v1/history", {{"name", "none"}}).at("changes").empty());
  for (const char* limit : {"0", "-1", "1001", "x", "1e3", "99999999999999999999"})
    CHECK(daemon.ask("/api/v1/history", {{"limit", limit}}).status == 400);
}

TEST_CASE("resources: made once a version, with an ETag that names it") {
  Daemon daemon;
  auto state = std::make_shared<manifest::DesiredState>();
  state->resources.emplace_back().key = {kind_folder, "org", "a"};
  reconcile::Report report;
  report.compared = true;
  report.state = state;
  const auto first = status::make_overview(nullptr, report, daemon.clock.wall());
  daemon.board.update([&](status::Facts& facts) { facts.overview = first; });
  const admin::Response one = daemon.ask("/api/v1/resources"), two = daemon.ask("/api/v1/resources");
  CHECK(one.body == two.body);
  CHECK_FALSE(one.etag.empty());
  auto more = std::make_shared<manifest::DesiredState>(*state);
  more->resources.emplace_back().key = {kind_folder, "org", "b"};
  report.state = more;
  daemon.board.update(
      [&](status::Facts& facts) { facts.overview = status::make_overview(first, report, daemon.clock.wall()); });
  const admin::Response three = daemon.ask("/api/v1/resources");
  CHECK(three.etag != one.etag);
  CHECK(json::parse(*three.body).at("resources").size() == 2);
}

TEST_CASE("sync and reload: accepted at once, or their outcome after a wait") {
  Daemon daemon;
  CHECK(daemon.ask("/api/v1/sync", {}, "POST").status == 202);
  CHECK(daemon.ask("/-/reload", {{"wait", "10m"}}, "POST").status == 400);
  CHECK(daemon.ask("/-/reload", {{"wait", "soon"}}, "POST").status == 400);
  CHECK(daemon.ask("/-/reload", {{"wait", "1s"}}, "POST").status == 504);

  const auto taken = daemon.triggers.take();
  REQUIRE(taken.reload);
  const std::uint64_t next = *taken.reload + 1;  // who asks now waits for this one
  daemon.triggers.answered(Trigger::reload, next, {false, "the configuration has errors", {"graftd.yaml:1:1: error"}});
  const admin::Response refused = daemon.ask("/-/reload", {{"wait", "5s"}}, "POST");
  CHECK(refused.status == 422);
  CHECK(json::parse(*refused.body).at("problems").at(0) == "graftd.yaml:1:1: error");
}

TEST_CASE("page: carries a policy that lets nothing else in") {
  Daemon daemon;
  const admin::Response page = daemon.ask("/");
  CHECK(page.content_type.starts_with("text/html"));
  const std::string policy = page.headers.at("Content-Security-Policy");
  CHECK(policy.find("default-src 'none'") != std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
  for (const char* loaded : {"src=\"http", "href=\"http", "url(http", "@import", "<link rel=\"stylesheet"})
    CHECK(page.body->find(loaded) == std::string::npos);
}
