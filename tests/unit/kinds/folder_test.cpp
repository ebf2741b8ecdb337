#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "kinds/folder_spec.hpp"
#include "unit/kinds/loading.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::string folder(std::string_view uid, std::string_view parent = "") {
  const std::string more = parent.empty() ? "" : fmt::format(", parent: {}", parent);
  return document("Folder", fmt::format("uid: {}", uid), fmt::format("{{title: T{}}}", more));
}

}  // namespace

TEST_CASE("a folder's title is trimmed, its parent is what it needs") {
  const auto result = load_text(folder("ops") + document("Folder", "uid: db", "{title: \"  Ω ${x}  \", parent: ops}"));
  CHECK(canonical_of(result, "Folder o/ops") == R"({"parent":"","title":"T"})");
  CHECK(canonical_of(result, "Folder o/db") == R"({"parent":"ops","title":"Ω ${x}"})");
  CHECK(find(result, "Folder o/db")->needs == std::vector<ResourceKey>{{kind_folder, "o", "ops"}});
  CHECK(find(result, "Folder o/ops")->needs.empty());
  const auto read = kinds::folder_from_canonical(R"({"parent":"ops","title":"Ω"})");
  CHECK((read && read->parent == "ops" && read->title == "Ω"));
}

TEST_CASE("uids and titles that Grafana refuses are refused") {
  struct Case {
    std::string metadata, spec;
    std::string_view expected;
  };
  for (const Case& each : {
           Case{"uid: a.b", "{title: T}", "uid: \"a.b\" has a character that Grafana refuses in a uid (at most 40 of"},
           Case{"uid: " + std::string(41, 'x'), "{title: T}", "has 41 characters"},
           Case{"uid: general", "{title: T}", "uid: \"general\" is reserved by Grafana"},
           Case{"uid: sharedwithme", "{title: T}", "is reserved by Grafana"},
           Case{"uid: \"\"", "{title: T}", "uid: must not be empty"},
           Case{"", "{title: T}", "the uid of the folder is missing"},
           Case{"name: x", "{title: T}", "Folder has no metadata.name (use metadata.uid)"},
           Case{"uid: x", "{}", "the field \"title\" is missing"},
           Case{"uid: x", "{title: \"  \"}", "title: must not be empty or blanks only"},
           Case{"uid: x", "{title: \"a\\nb\"}", "title: has a line break"},
           Case{"uid: x", "{title: 7}", "title: expected a string, found a number (7)"},
           Case{"uid: x", "{title: T, parent: a/b}", "parent: \"a/b\" has a character"},
           Case{"uid: x", "{title: T, description: d}", "description is not supported yet"},
           Case{"uid: x", "{title: T, tittle: d}", "unknown field \"tittle\" (did you mean \"title\"?)"},
       }) {
    CAPTURE(each.spec);
    const auto result = load_text(document("Folder", each.metadata, each.spec));
    CHECK(result.state == nullptr);
    CHECK_MESSAGE(says(result, each.expected), report(result));
  }
  CHECK(load_text(document("Folder", "uid: " + std::string(40, 'x'), "{title: T}")).state != nullptr);
  CHECK(load_text(document("Folder", "uid: General", "{title: General}")).state != nullptr);
}

TEST_CASE("parents that are missing, in a ring or too deep are refused") {
  const auto missing = load_text(folder("ops") + folder("db", "opps"));
  CHECK_MESSAGE(says(missing, "Folder o/db needs Folder o/opps, which no manifest declares (did you mean \"ops\"?)"),
                report(missing));
  const auto self = load_text(folder("a", "a"));
  CHECK_MESSAGE(says(self, "Folder o/a: lies in itself: a → a"), report(self));
  const auto ring = load_text(folder("a", "b") + folder("b", "c") + folder("c", "a") + folder("d", "a"));
  CHECK_MESSAGE(says(ring, "Folder o/a: lies in itself: a → b → c → a"), report(ring));
  CHECK(ring.diagnostics.error_count() == 3);
  const std::string five =
      folder("l1") + folder("l2", "l1") + folder("l3", "l2") + folder("l4", "l3") + folder("l5", "l4");
  CHECK_MESSAGE(load_text(five).state != nullptr, report(load_text(five)));
  const auto six = load_text(five + folder("l6", "l5"));
  CHECK_MESSAGE(says(six, "Folder o/l6: is nested 6 levels deep (Grafana allows 5)"), report(six));
  CHECK(six.diagnostics.error_count() == 1);
}

TEST_CASE("a parent in another organization is no parent") {
  const auto result = load_text(folder("ops") +
                                "---\napiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: db, organization: p}\nspec: "
                                "{title: T, parent: ops}\n");
  CHECK_MESSAGE(says(result, "Folder p/db needs Folder p/ops, which no manifest declares"), report(result));
}

TEST_CASE("a chain of three thousand folders is judged at once") {
  std::string text = folder("f0");
  for (int i = 1; i < 3000; ++i) text += folder(fmt::format("f{}", i), fmt::format("f{}", i - 1));
  const auto result = load_text(text);
  CHECK(result.diagnostics.error_count() == 3000 - 5);
}
