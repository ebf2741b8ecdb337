// deploy/grafana: what is shipped is a sound manifest, and a dashboard that runs on whatever Prometheus is chosen in
// it.
#include <doctest/doctest.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "unit/kinds/loading.hpp"

using namespace graft;
using nlohmann::json;

namespace {

std::string shipped(const std::string& name) {
  std::ifstream file(GRAFTD_SOURCE_DIR "/deploy/grafana/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

json dashboard() { return json::parse(shipped("graftd-dashboard.json"), nullptr, false); }

// True when two panels cover the same place.
bool overlap(const json& a, const json& b) {
  const auto apart = [](const json& one, const json& other, const char* from, const char* size) {
    return one[from].get<int>() + one[size].get<int>() <= other[from].get<int>();
  };
  return !apart(a, b, "x", "w") && !apart(b, a, "x", "w") && !apart(a, b, "y", "h") && !apart(b, a, "y", "h");
}

}  // namespace

TEST_CASE("the shipped manifests of graftd's dashboard are sound") {
  const test::MemoryFiles files(
      {{"graftd.yaml", shipped("graftd.yaml")}, {"graftd-dashboard.json", shipped("graftd-dashboard.json")}});
  const auto result = test::load_files(files);
  REQUIRE_MESSAGE(result.state != nullptr, test::report(result));
  CHECK(result.state->resources.size() == 2);
  CHECK(test::find(result, "Folder Main Org./graftd") != nullptr);
  CHECK(test::find(result, "Dashboard Main Org./graftd") != nullptr);
}

TEST_CASE("every panel has a place and a number of its own, and asks the data source that was chosen") {
  const json board = dashboard();
  REQUIRE(board.is_object());
  const json& panels = board["panels"];
  REQUIRE(panels.size() > 20);
  std::set<int> ids;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const json& panel = panels[i];
    CAPTURE(panel["title"].get<std::string>());
    CHECK(ids.insert(panel["id"].get<int>()).second);
    CHECK(panel["gridPos"]["x"].get<int>() + panel["gridPos"]["w"].get<int>() <= 24);
    for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(overlap(panel["gridPos"], panels[j]["gridPos"]));
    if (panel["type"] == "row") continue;
    REQUIRE_FALSE(panel["targets"].empty());
    for (const json& target : panel["targets"]) {
      CHECK(target["datasource"]["uid"] == "${datasource}");
      CHECK(target["expr"].get<std::string>().find(R"({job=~"$job", instance=~"$instance")") != std::string::npos);
    }
  }
}
