#include "plan/plan.hpp"

#include <doctest/doctest.h>

#include "model/diff.hpp"
#include "plan/render.hpp"

using namespace graft;

namespace {

Desired wanted(KindName kind, std::string organization, std::string name, std::string canonical = "{}",
               std::vector<ResourceKey> needs = {}) {
  Desired desired;
  desired.key = {kind, std::move(organization), std::move(name)};
  desired.canonical = std::move(canonical);
  desired.digest = Digest::of(desired.canonical);
  desired.needs = std::move(needs);
  return desired;
}

Observed seen(const Desired& desired, std::string canonical) {
  Observed observed;
  observed.key = desired.key;
  observed.digest = Digest::of(canonical);
  observed.canonical = std::move(canonical);
  return observed;
}

Verdict by_digest(const Desired& desired, const Observed* observed) {
  Verdict verdict;
  if (observed == nullptr) {
    verdict.verb = Verb::create;
  } else if (observed->digest != desired.digest) {
    verdict.verb = Verb::update;
    verdict.changes = diff(observed->canonical, desired.canonical);
  }
  return verdict;
}

int rank(KindName kind) {
  if (kind == kind_organization) return 1;
  if (kind == kind_service_account) return 3;
  if (kind == kind_folder) return 5;
  return 8;
}

plan::Plan make(const std::vector<Desired>& all, const Snapshot& snapshot,
                const std::unordered_set<std::string>& unknown = {}) {
  std::vector<const Desired*> pointers;
  for (const Desired& desired : all) pointers.push_back(&desired);
  return plan::make_plan({pointers, snapshot, unknown, {}, by_digest, rank});
}

std::vector<std::string> names(const plan::Plan& plan) {
  std::vector<std::string> out;
  for (const plan::Action& action : plan.actions) out.push_back(action.key().name);
  return out;
}

}  // namespace

TEST_CASE("parents come before their children, whatever their names") {
  const ResourceKey a{kind_folder, "o", "a"}, b{kind_folder, "o", "b"};
  const std::vector<Desired> all{wanted(kind_dashboard, "o", "0", "{}", {a}), wanted(kind_folder, "o", "a", "{}", {b}),
                                 wanted(kind_folder, "o", "b", "{}", {{kind_folder, "o", "c"}}),
                                 wanted(kind_folder, "o", "c"), wanted(kind_organization, "o", "o")};
  CHECK(names(make(all, {})) == std::vector<std::string>{"o", "c", "b", "a", "0"});
}

TEST_CASE("a ring of needs ends, and loses nobody") {
  const std::vector<Desired> all{wanted(kind_folder, "o", "a", "{}", {{kind_folder, "o", "b"}}),
                                 wanted(kind_folder, "o", "b", "{}", {{kind_folder, "o", "a"}})};
  CHECK(make(all, {}).actions.size() == 2);
}

TEST_CASE("what is equal is counted and not planned") {
  const std::vector<Desired> all{wanted(kind_folder, "o", "a", R"({"title":"A"})")};
  Snapshot snapshot;
  snapshot.add(seen(all[0], R"({"title":"A"})"));
  const plan::Plan plan = make(all, snapshot);
  CHECK(plan.actions.empty());
  CHECK(plan.in_sync == 1);
  CHECK(plan.counts().nothing_to_do());
}

TEST_CASE("nothing in a gap is believed absent") {
  const std::vector<Desired> all{wanted(kind_folder, "o", "a"), wanted(kind_dashboard, "o", "d")};
  Snapshot snapshot;
  snapshot.add_gap({"o", kind_folder, Error(ErrorCode::unavailable, "listing folder: HTTP 503")});
  const plan::Plan plan = make(all, snapshot);
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0].verdict.verb == Verb::unknown);
  CHECK(plan.actions[0].verdict.reason.find("HTTP 503") != std::string::npos);
  CHECK(plan.counts().unread == 1);
  CHECK(plan.actions[1].verdict.verb == Verb::create);
}

TEST_CASE("the content of an organization that is not made yet is not known") {
  const std::vector<Desired> all{wanted(kind_organization, "o", "o"), wanted(kind_folder, "o", "a")};
  const plan::Plan plan = make(all, {}, {"o"});
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0].verdict.verb == Verb::create);
  CHECK(plan.actions[1].verdict.verb == Verb::unknown);
  CHECK_FALSE(plan.counts().nothing_to_do());
}

TEST_CASE("the digest changes with what is planned, and with nothing else") {
  const std::vector<Desired> all{wanted(kind_folder, "o", "a", R"({"title":"A"})")};
  Snapshot snapshot, other;
  snapshot.add(seen(all[0], R"({"title":"B"})"));
  other.add(seen(all[0], R"({"title":"C"})"));
  CHECK(make(all, snapshot).digest() == make(all, snapshot).digest());
  CHECK(make(all, snapshot).digest() != make(all, other).digest());
}

TEST_CASE("differences are named by pointer") {
  struct Row {
    const char *before, *after;
    std::vector<FieldChange> changes;
  };
  const std::vector<Row> rows{
      {R"({"a":1})", R"({"a":1})", {}},
      {R"({"a":1})", R"({"a":2})", {{"/a", "1", "2"}}},
      {R"({"a":1})", R"({"b":1})", {{"/a", "1", ""}, {"/b", "", "1"}}},
      {R"({"a":{"b":[1,2]}})", R"({"a":{"b":[1,3,4]}})", {{"/a/b/1", "2", "3"}, {"/a/b/2", "", "4"}}},
      {R"({"a":[1,2]})", R"({"a":[1]})", {{"/a/1", "2", ""}}},
      {R"({"a/b~c":1})", R"({"a/b~c":"1"})", {{"/a~1b~0c", "1", "\"1\""}}},
      {R"({"a":{}})", R"({"a":[]})", {{"/a", "{}", "[]"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.before);
    CHECK(diff(row.before, row.after) == row.changes);
  }
}

TEST_CASE("a long value is shortened for people") {
  const std::string before = R"({"a":")" + std::string(1000, 'x') + R"("})";
  const std::vector<FieldChange> changes = diff(before, R"({"a":"y"})");
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].before.size() < 200);
}

TEST_CASE("a plan reads as the documentation shows it") {
  std::vector<Desired> all{
      wanted(kind_organization, "apiorg", "apiorg"), wanted(kind_service_account, "apiorg", "test"),
      wanted(kind_dashboard, "apiorg", "production-overview", R"({"title":"Production Overview"})")};
  all[1].summary = "(Admin)";
  Snapshot snapshot;
  snapshot.add(seen(all[0], "{}"));
  snapshot.add(seen(all[2], R"({"title":"Prod"})"));
  const plan::Plan plan = make(all, snapshot);
  const std::string text = plan::render_text(plan, plan::Colour::no);
  CHECK(text ==
        "organization apiorg\n"
        "  + service account test (Admin)\n"
        "  ~ dashboard production-overview\n"
        "      /title   \"Prod\" → \"Production Overview\"\n"
        "1 to create, 1 to update, 0 to delete, 0 held          digest " +
            plan.digest() + "\n");
  CHECK(plan::render_text(plan, plan::Colour::yes).find("\x1b[32m+ service account test") != std::string::npos);
  CHECK(plan::render_json(plan).find("\"path\": \"/title\"") != std::string::npos);
}

TEST_CASE("many differences of one resource are counted, not listed") {
  std::string before = "{", after = "{";
  for (int i = 0; i < 50; ++i) {
    before += (i > 0 ? "," : "") + std::string("\"k") + std::to_string(i) + "\":1";
    after += (i > 0 ? "," : "") + std::string("\"k") + std::to_string(i) + "\":2";
  }
  const std::vector<Desired> all{wanted(kind_dashboard, "o", "d", after + "}")};
  Snapshot snapshot;
  snapshot.add(seen(all[0], before + "}"));
  CHECK(plan::render_text(make(all, snapshot), plan::Colour::no).find("… and 30 more differences") !=
        std::string::npos);
}
