// What the recordings do not ask: faults, the clock, lists that are cut, going down and coming back.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "simulator/simulator.hpp"
#include "support/http_client.hpp"

namespace graft::simulator {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;
using test_support::Person;
using test_support::Reply;

struct House {
  explicit House(Options options = {}) : simulator(std::move(options)), admin(simulator.url(), "admin", "admin") {}

  Json get(const std::string& target) const { return Json::parse(admin.get(target).body); }
  std::int64_t make_account(const std::string& name) const {
    return Json::parse(admin.post("/api/serviceaccounts", Json{{"name", name}, {"role", "Admin"}}.dump()).body)["id"]
        .get<std::int64_t>();
  }
  Json make_token(std::int64_t account, const Json& body) const {
    return Json::parse(admin.post("/api/serviceaccounts/" + std::to_string(account) + "/tokens", body.dump()).body);
  }

  Simulator simulator;
  Person admin;
};

Options frozen() {
  Options options;
  options.frozen_clock = true;
  return options;
}

Reply with_key(const House& house, const std::string& key, const std::string& target) {
  return test_support::request(house.simulator.url(), "GET", target, {{"Authorization", "Bearer " + key}});
}

const std::string folders_path = "/apis/folder.grafana.app/v1beta1/namespaces/default/folders";
const std::string dashboards_path = "/apis/dashboard.grafana.app/v0alpha1/namespaces/default/dashboards";

TEST_CASE("a refused request is not carried out, a dropped reply is") {
  House house;
  Fault refuse;
  refuse.method = "POST";
  refuse.route = "/api/orgs";
  house.simulator.add_fault(refuse);
  CHECK_THROWS(house.admin.post("/api/orgs", R"({"name":"one"})"));
  CHECK(house.get("/api/orgs?name=one").empty());
  Fault drop;
  drop.kind = Fault::Kind::drop_reply;
  drop.method = "POST";
  house.simulator.add_fault(drop);
  CHECK_THROWS(house.admin.post("/api/orgs", R"({"name":"one"})"));
  CHECK(house.get("/api/orgs?name=one").size() == 1);
  CHECK(house.admin.post("/api/orgs", R"({"name":"two"})").status == 200);
}

TEST_CASE("a canned status is not carried out, a canned reply is") {
  House house;
  Fault status;
  status.kind = Fault::Kind::status;
  status.body = "<html>";
  status.content_type = "text/html";
  status.headers["Retry-After"] = "7";
  house.simulator.add_fault(status);
  const Reply busy = house.admin.post("/api/orgs", R"({"name":"one"})");
  CHECK(busy.status == 503);
  CHECK(busy.body == "<html>");
  CHECK(busy.header("retry-after") == "7");
  CHECK(house.get("/api/orgs?name=one").empty());
  Fault raw;
  raw.kind = Fault::Kind::reply_raw;
  raw.route = "/api/orgs";
  raw.status = 200;
  raw.body = "{}";
  house.simulator.add_fault(raw);
  CHECK(house.admin.post("/api/orgs", R"({"name":"one"})").body == "{}");
  CHECK(house.get("/api/orgs?name=one").size() == 1);
}

TEST_CASE("a truncated reply breaks off, and the request was carried out") {
  House house;
  Fault truncate;
  truncate.kind = Fault::Kind::truncate;
  truncate.bytes = 200;
  house.simulator.add_fault(truncate);
  CHECK_THROWS(house.admin.post("/api/orgs", R"({"name":"one"})"));
  CHECK(house.get("/api/orgs?name=one").size() == 1);
}

TEST_CASE("a fault strikes the numbered request, as often as it was asked to") {
  House house;
  Fault third;
  third.kind = Fault::Kind::status;
  third.number = 3;
  house.simulator.add_fault(third);
  for (const int expected : {200, 200, 503, 200}) CHECK(house.admin.get("/api/org").status == expected);
  house.simulator.clear_requests();
  Fault twice;
  twice.kind = Fault::Kind::status;
  twice.times = 2;
  house.simulator.add_fault(twice);
  for (const int expected : {503, 503, 200}) CHECK(house.admin.get("/api/org").status == expected);
  third.number = 2;  // counted from here
  house.simulator.add_fault(third);
  for (const int expected : {200, 503, 200}) CHECK(house.admin.get("/api/org").status == expected);
  house.simulator.add_fault(twice);
  house.simulator.clear_faults();
  CHECK(house.admin.get("/api/org").status == 200);
}

TEST_CASE("a delayed reply comes late and others do not wait for it") {
  House house;
  Fault delay;
  delay.kind = Fault::Kind::delay;
  delay.delay = 50ms;
  house.simulator.add_fault(delay);
  const auto start = std::chrono::steady_clock::now();
  CHECK(house.admin.get("/api/org").status == 200);
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
}

TEST_CASE("requests are recorded with their route, user and organization") {
  House house;
  house.admin.get("/api/orgs/1?x=y", 1);
  house.admin.post("/api/orgs", R"({"name":"one"})");
  house.admin.get("/api/teams/search");
  const auto records = house.simulator.requests();
  REQUIRE(records.size() == 3);
  CHECK(records[0].number == 1);
  CHECK(records[0].route == "/api/orgs/:orgId");
  CHECK(records[0].path == "/api/orgs/1?x=y");
  CHECK(records[0].user == "admin");
  CHECK(records[0].org_header == "1");
  CHECK_FALSE(records[0].write());
  CHECK(records[1].body == R"({"name":"one"})");
  CHECK(records[1].status == 200);
  CHECK(records[2].route.empty());
  CHECK(records[2].status == 501);
  CHECK(records[2].connection != records[1].connection);
  CHECK(house.simulator.write_count() == 1);
  house.simulator.clear_requests();
  CHECK(house.simulator.requests().empty());
}

TEST_CASE("the callback sees the request carried out, before its reply") {
  House house;
  std::vector<std::string> seen;
  house.simulator.on_request([&](const RequestRecord& record) {
    seen.push_back(record.route);
    // Asking the simulator for something from here must not block.
    CHECK(house.simulator.requests().size() == seen.size());
  });
  house.admin.get("/api/org");
  CHECK(seen == std::vector<std::string>{"/api/org"});
}

TEST_CASE("Grafana goes down and comes back on its port with what it had") {
  House house;
  house.admin.post("/api/orgs", R"({"name":"one"})");
  house.simulator.stop_listening();
  CHECK_THROWS(house.admin.get("/api/health"));
  house.simulator.start_listening();
  CHECK(house.get("/api/orgs?name=one").size() == 1);
}

TEST_CASE("the Date header follows the simulator's clock") {
  House house(frozen());
  const std::string before = house.admin.get("/api/health").header("date");
  CHECK(house.admin.get("/api/health").header("date") == before);
  house.simulator.advance(24h);
  CHECK(house.admin.get("/api/health").header("date") != before);
}

TEST_CASE("a login that failed five times is locked for five minutes after the first failure") {
  House house(frozen());
  const Person wrong(house.simulator.url(), "ADMIN", "wrong");
  for (int i = 0; i < 5; ++i) CHECK(wrong.get("/api/user").status == 401);
  CHECK(house.admin.get("/api/user").status == 401);
  CHECK(house.simulator.failed_logins() == 6);
  house.simulator.advance(299s);
  CHECK(house.admin.get("/api/user").status == 401);
  house.simulator.advance(1s);
  CHECK(house.admin.get("/api/user").status == 200);
}

TEST_CASE("a token list is cut at 300 by name; the search knows the true number") {
  House house;
  const auto account = house.make_account("many");
  for (int i = 0; i < 301; ++i) house.make_token(account, {{"name", "t" + std::to_string(1000 + i)}});
  const Json list = house.get("/api/serviceaccounts/" + std::to_string(account) + "/tokens");
  REQUIRE(list.size() == 300);
  CHECK(list[0]["name"] == "t1000");
  CHECK(list[299]["name"] == "t1299");
  CHECK(house.get("/api/serviceaccounts/search")["serviceAccounts"][0]["tokens"] == 301);
  CHECK(house.get("/api/serviceaccounts/" + std::to_string(account))["tokens"] == 300);
}

TEST_CASE("a key works until it expires, and its use is noted") {
  House house(frozen());
  const auto account = house.make_account("robot");
  const Json token = house.make_token(account, {{"name", "short"}, {"secondsToLive", 60}});
  const auto key = token["key"].get<std::string>();
  const std::string tokens = "/api/serviceaccounts/" + std::to_string(account) + "/tokens";
  CHECK(house.get(tokens)[0]["lastUsedAt"].is_null());
  CHECK(with_key(house, key, "/api/org").status == 200);
  CHECK(house.get(tokens)[0]["lastUsedAt"].is_string());
  house.simulator.advance(61s);
  CHECK(with_key(house, key, "/api/org").status == 401);
  CHECK(house.get(tokens)[0]["hasExpired"] == true);
}

TEST_CASE("a page ends by size before its limit, and the rest follows, as it was when the list began") {
  House house;
  const std::string padding(100'000, 'x');
  for (int i = 0; i < 30; ++i) {
    const Json body = {{"metadata", {{"name", "d" + std::to_string(100 + i)}}},
                       {"spec", {{"title", "T"}, {"padding", padding}}}};
    CHECK(house.admin.post(dashboards_path, body.dump()).status == 201);
  }
  const Json first = house.get(dashboards_path + "?limit=1000");
  CHECK(first["items"].size() == 21);
  const auto next = first["metadata"]["continue"].get<std::string>();
  CHECK(house.admin.del(dashboards_path + "/d129").status == 200);
  const Json second = house.get(dashboards_path + "?limit=1000&continue=" + next);
  CHECK(second["items"].size() == 9);
  CHECK_FALSE(second["metadata"].contains("continue"));
  CHECK(house.get(dashboards_path + "?limit=2")["items"].size() == 2);
}

TEST_CASE("resource versions are large and only rise") {
  House house(frozen());
  std::uint64_t last = 1'000'000'000'000'000;
  for (const char* name : {"a", "b", "c"}) {
    const Json body = {{"metadata", {{"name", name}}}, {"spec", {{"title", "T"}}}};
    const Json made = Json::parse(house.admin.post(folders_path, body.dump()).body);
    const auto version = std::stoull(made["metadata"]["resourceVersion"].get<std::string>());
    CHECK(version > last);
    last = version;
  }
}

TEST_CASE("without /apis there is no such page, signed in or not") {
  Options options;
  options.apis = false;
  House house(options);
  CHECK(house.admin.get("/apis/dashboard.grafana.app").status == 404);
  CHECK(house.admin.get(folders_path).status == 404);
  CHECK(house.admin.get("/api/org").status == 200);
}

TEST_CASE("the minimum refresh interval is told and kept") {
  Options options;
  options.settings["GF_DASHBOARDS_MIN_REFRESH_INTERVAL"] = "10s";
  House house(options);
  CHECK(house.get("/api/frontend/settings")["minRefreshInterval"] == "10s");
  const Json low = {{"metadata", {{"name", "low"}}}, {"spec", {{"title", "T"}, {"refresh", "5s"}}}};
  CHECK(house.admin.post(dashboards_path, low.dump()).status == 400);
  house.admin.post("/api/dashboards/db", R"({"dashboard":{"uid":"old","title":"T","refresh":"5s"}})");
  CHECK(house.get("/api/dashboards/uid/old")["dashboard"]["refresh"] == "10s");
}

TEST_CASE("dashboards made through /apis are for admins only, unless permissions were asked for") {
  House house;
  const std::string body = R"({"login":"eva","password":"eva-password"})";
  const auto id = Json::parse(house.admin.post("/api/admin/users", body).body)["id"].get<std::int64_t>();
  house.admin.patch("/api/orgs/1/users/" + std::to_string(id), R"({"role":"Editor"})");
  house.admin.post(dashboards_path, R"({"metadata":{"name":"bare"},"spec":{"title":"T"}})");
  house.admin.post(dashboards_path, R"({"metadata":{"name":"granted","annotations":
      {"grafana.app/grant-permissions":"default"}},"spec":{"title":"T"}})");
  const Person eva(house.simulator.url(), "eva", "eva-password");
  CHECK(eva.get(dashboards_path + "/bare").status == 403);
  CHECK(eva.get(dashboards_path + "/granted").status == 200);
  CHECK(Json::parse(eva.get(dashboards_path).body)["items"].size() == 1);
  CHECK(house.get(dashboards_path)["items"].size() == 2);
}

TEST_CASE("long replies come in chunks, short ones with their length") {
  House house;
  for (int i = 0; i < 80; ++i)
    house.admin.post("/api/orgs", Json{{"name", "organization " + std::to_string(i)}}.dump());
  const Reply long_reply = house.admin.get("/api/orgs");
  CHECK(long_reply.header("transfer-encoding") == "chunked");
  CHECK(Json::parse(long_reply.body).size() == 81);
  CHECK(house.admin.get("/api/org").header("content-length") != "");
}

TEST_CASE("what is not in the table is not answered") {
  House house;
  CHECK(house.admin.get("/api/teams/search").status == 501);
  CHECK(house.admin.get("/apis/playlist.grafana.app/v1/namespaces/default/playlists").status == 501);
  CHECK(route_of("GET", "/api/orgs/5/users?x=1") == "/api/orgs/:orgId/users");
  CHECK(route_of("GET", "/api/orgs/name/x") == "/api/orgs/name/:name");
  CHECK_FALSE(route_of("GET", "/api/teams/search").has_value());
}

}  // namespace
}  // namespace graft::simulator
