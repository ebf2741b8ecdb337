#include <doctest/doctest.h>
#include <fstream>
#include <sstream>
#include <string>

#include "unit/kinds/loading.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::string example() {
  std::ifstream file(GRAFTD_SOURCE_DIR "/config/examples/tutorial/apiorg.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the tutorial's manifest gives its six resources, in canonical form") {
  const auto result = load_text(example());
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(report(result).empty());
  CHECK(result.state->resources.size() == 6);
  CHECK(result.documents == 1);
  CHECK(canonical_of(result, "Organization apiorg") == R"({"name":"apiorg"})");
  CHECK(canonical_of(result, "OrganizationMember apiorg/admin") == R"({"login":"admin","role":"Admin"})");
  CHECK(canonical_of(result, "ServiceAccount apiorg/test") == R"({"disabled":false,"name":"test","role":"Admin"})");
  CHECK(canonical_of(result, "ServiceAccountToken apiorg/test/test-token") ==
        R"({"account":"test","deliverTo":[{"file":{"mode":"0600","path":"apiorg/test-token"}}],"grace":null,)"
        R"("name":"test-token","rotateBefore":864000,"ttl":2592000})");
  CHECK(canonical_of(result, "Folder apiorg/ops") == R"({"parent":"","title":"Operations"})");
  CHECK(canonical_of(result, "Dashboard apiorg/production-overview") ==
        R"({"folder":"ops","spec":{"panels":[],"schemaVersion":36,"tags":["templated"],"timezone":"browser",)"
        R"("title":"Production Overview"}})");
  const Desired* token = find(result, "ServiceAccountToken apiorg/test/test-token");
  CHECK(token->summary == "ttl 30d → file apiorg/test-token");
  CHECK(token->needs == std::vector<ResourceKey>{{kind_service_account, "apiorg", "test"}});
  const Desired* board = find(result, "Dashboard apiorg/production-overview");
  CHECK(board->needs == std::vector<ResourceKey>{{kind_folder, "apiorg", "ops"}});
  CHECK(board->digest == Digest::of(board->canonical));
  CHECK(board->at.line > 20);
}

TEST_CASE("the same written as documents that stand alone is the same desired state") {
  const auto alone =
      load_text("apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\n" +
                document("OrganizationMember", "", "{login: admin, role: Admin}") +
                document("ServiceAccount", "name: test", "{role: Admin}") +
                document("ServiceAccountToken", "name: t", "{serviceAccount: test, deliverTo: [{file: {path: o/t}}]}") +
                document("Folder", "uid: ops", "{title: Operations}") +
                document("Dashboard", "uid: d", "{folder: ops, model: {title: T}}"));
  const auto nested = load_text(
      "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec:\n  members: [{login: admin, role: "
      "Admin}]\n"
      "  serviceAccounts: [{name: test, role: Admin, tokens: [{name: t, deliverTo: [{file: {path: o/t}}]}]}]\n"
      "  folders: [{uid: ops, title: Operations}]\n  dashboards: [{uid: d, folder: ops, model: {title: T}}]\n");
  const auto account_alone = load_text(
      "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec:\n  members: [{login: admin, role: "
      "Admin}]\n"
      "  folders: [{uid: ops, title: Operations}]\n  dashboards: [{uid: d, folder: ops, model: {title: T}}]\n" +
      document("ServiceAccount", "name: test", "{role: Admin, tokens: [{name: t, deliverTo: [{file: {path: o/t}}]}]}"));
  for (const auto* other : {&nested, &account_alone}) {
    REQUIRE_MESSAGE(alone.state != nullptr, report(alone));
    REQUIRE_MESSAGE(other->state != nullptr, report(*other));
    REQUIRE(alone.state->resources.size() == other->state->resources.size());
    for (std::size_t i = 0; i < alone.state->resources.size(); ++i) {
      CHECK(alone.state->resources[i].key == other->state->resources[i].key);
      CHECK(alone.state->resources[i].canonical == other->state->resources[i].canonical);
      CHECK(alone.state->resources[i].needs == other->state->resources[i].needs);
    }
  }
}
