#include "grafana/route.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "grafana/capabilities.hpp"

using namespace graft;
using namespace graft::grafana;
namespace fs = std::filesystem;

namespace {

// `Call call("GET", <target>, ...)` as it is written in a source file.
struct CallSite {
  std::string file, method, target;
};

// The text up to the comma that ends an argument, in one line.
std::string argument_at(const std::string& text, std::size_t from) {
  std::string argument;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '(') ++depth;
    if (!quoted && c == ')') --depth;
    if (!quoted && c == ',' && depth == 0) break;
    if (!quoted && (c == '\n' || (c == ' ' && (argument.empty() || argument.back() == ' ')))) continue;
    argument += c;
  }
  return argument;
}

std::vector<CallSite> call_sites() {
  static const std::regex form(R"re(\bCall\s+\w+\(\s*"([A-Z]+)",\s*)re");
  std::vector<CallSite> sites;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(GRAFTD_SOURCE_DIR) / "lib")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    for (std::sregex_iterator found(text.begin(), text.end(), form), end; found != end; ++found) {
      const auto after = static_cast<std::size_t>(found->position() + found->length());
      sites.push_back({entry.path().filename().string(), (*found)[1], argument_at(text, after)});
    }
  }
  return sites;
}

std::vector<std::string> collections(const std::string& after) {
  std::vector<std::string> targets;
  for (const int organization : {1, 2}) {
    const ContentRoutes content = content_routes(OrgId(organization));
    targets.push_back(content.folders + after);
    targets.push_back(content.dashboards + after);
  }
  return targets;
}

// What the expression stands for at run time; empty: not known here.
std::vector<std::string> targets_of(const std::string& expression) {
  static const std::map<std::string, std::vector<std::string>> named{
      {"std::move(target)", collections("?limit=200&continue=a%2Fb")},
      {"collection.path", collections("")},
      {"object_path(collection, name)", collections("/a%2Fb")},
      {"tokens_path(account)", {"/api/serviceaccounts/7/tokens"}},
      {R"(fmt::format("{}/{}", tokens_path(account), token.value()))", {"/api/serviceaccounts/7/tokens/8"}},
  };
  if (const auto known = named.find(expression); known != named.end()) return known->second;
  static const std::regex literal(R"re((?:fmt::format\()?"(/[^"]*)".*)re");
  std::smatch match;
  if (!std::regex_match(expression, match, literal)) return {};
  return {std::regex_replace(match[1].str(), std::regex(R"(\{\})"), "7")};
}

}  // namespace

TEST_CASE("a path is named by its template, without what it holds of ids, names and queries") {
  struct Row {
    const char *method, *target, *route;
  };
  const std::vector<Row> rows{
      {"GET", "/api/orgs?perpage=100000&page=0", "/api/orgs"},
      {"GET", "/api/orgs/7/users", "/api/orgs/:orgId/users"},
      {"DELETE", "/api/serviceaccounts/3/tokens/9", "/api/serviceaccounts/:accountId/tokens/:tokenId"},
      {"GET", "/api/serviceaccounts/search?perpage=1&page=1", "/api/serviceaccounts/search"},
      {"GET", "/apis/dashboard.grafana.app/v0alpha1/namespaces/org-2/dashboards/secret%20plan",
       "/apis/dashboard.grafana.app/:version/namespaces/:namespace/dashboards/:name"},
      {"GET", "/apis/folder.grafana.app/v1beta1/namespaces/default/folders?limit=200",
       "/apis/folder.grafana.app/:version/namespaces/:namespace/folders"},
      {"DELETE", "/api/orgs/7", "other"},
      {"PUT", "/api/orgs/7/users", "other"},
      {"GET", "/api/orgs//users", "other"},
      {"GET", "/api/orgs/7/users/", "other"},
      {"GET", "/api/user/orgs/5", "other"},
      {"GET", "", "other"},
      {"GET", "api/user", "other"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    CHECK(route_of(row.method, row.target) == row.route);
  }
}

TEST_CASE("every request that the libraries make has a route, and every route is of such a request") {
  const std::vector<CallSite> sites = call_sites();
  REQUIRE(sites.size() >= 20);
  std::set<std::pair<std::string, std::string>> used;
  for (const CallSite& site : sites) {
    CAPTURE(site.file);
    CAPTURE(site.target);
    const std::vector<std::string> targets = targets_of(site.target);
    CHECK_FALSE(targets.empty());
    for (const std::string& target : targets) {
      const std::string route(route_of(site.method, target));
      CAPTURE(target);
      CHECK(route != "other");
      used.emplace(site.method, route);
    }
  }
  for (const Route& route : routes()) {
    CAPTURE(std::string(route.path));
    CHECK(used.contains({std::string(route.method), std::string(route.path)}));
  }
}
