// How many requests a cycle costs, and over how many connections.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>

#include "world/world.hpp"

using namespace graft;
using namespace graft::test;

TEST_CASE(
    "a no-op cycle of 100 organizations makes at most 5 requests an organization and one an account, kept alive") {
  World world;
  for (int i = 0; i < 100; ++i) {
    const std::string name = fmt::format("{}-{:03}", world.organization(), i);
    std::string text = fmt::format(
        "apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {0}}}\nspec:\n  members: [{{login: admin, role: "
        "Admin}}]\n"
        "  serviceAccounts: [{{name: a, role: Editor, tokens: [{{name: t, deliverTo: [{{file: {{path: "
        "{0}/t}}}}]}}]}}]\n"
        "  folders: [{{uid: f1, title: F1}}, {{uid: f2, title: F2, parent: f1}}]\n  dashboards:\n",
        name);
    for (int d = 0; d < 10; ++d)
      text += fmt::format("    - {{uid: d{0}, folder: f{1}, model: {{title: D{0}, panels: []}}}}\n", d, d % 2 + 1);
    world.manifest(name + ".yaml", text);
  }
  const reconcile::Report cold = world.apply();
  const std::string trouble = problems(cold);
  CAPTURE(trouble);
  REQUIRE(cold.converged());
  CHECK(world.simulator->write_count() == 100 * (1 + 1 + 1 + 2 + 10));

  world.restart();
  world.simulator->clear_requests();
  const reconcile::Report noop = world.apply();
  CHECK(noop.plan.actions.empty());
  CHECK(noop.plan.in_sync == 100 * 16);
  CHECK(world.simulator->write_count() == 0);
  CHECK(world.simulator->requests().size() <= 100 * 5 + 100);
  std::set<std::uint64_t> connections;
  for (const auto& request : world.simulator->requests()) connections.insert(request.connection);
  CHECK(connections.size() <= 8);

  // The delivered keys were asked about a moment ago, so the next cycle of the same process is lighter still.
  world.simulator->clear_requests();
  CHECK(world.apply().plan.actions.empty());
  CHECK(world.simulator->requests().size() <= 100 * 5 + 10);
}

TEST_CASE("the tokens of one account are listed once, however many are declared") {
  World world;
  std::string tokens;
  for (int i = 0; i < 5; ++i)
    tokens += fmt::format("{}{{name: t{}, deliverTo: [{{file: {{path: t{}}}}}]}}", i > 0 ? ", " : "", i, i);
  world.manifest(
      "o.yaml",
      fmt::format(
          "apiVersion: graftd/v1\nkind: ServiceAccount\nmetadata: {{name: a, organization: {0}}}\nspec: {{role: "
          "Editor, tokens: [{1}]}}\n---\napiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {0}}}\n",
          world.organization(), tokens));
  REQUIRE(world.apply().converged());
  world.simulator->clear_requests();
  REQUIRE(world.apply().plan.actions.empty());
  std::size_t lists = 0;
  for (const auto& request : world.simulator->requests())
    lists += request.method == "GET" && request.route.ends_with("/tokens") ? 1 : 0;
  CHECK(lists == 1);
}
