#include "status/overview.hpp"

#include <doctest/doctest.h>

#include "unit/status/picture.hpp"

using namespace graft;
using graft::test::Picture;
using status::make_overview;
using status::ResourceState;
using std::chrono::seconds;

namespace {

constexpr WallTime t0{seconds(1'800'000'000)};

const status::Entry& entry(const std::shared_ptr<const status::Overview>& overview, const std::string& name) {
  const status::Entry* found = overview->find({kind_folder, "org", name});
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("overview: what the plan does not name is in sync") {
  const Picture picture;
  const auto overview = make_overview(nullptr, picture.report(), t0);
  REQUIRE(overview->entries.size() == 3);
  CHECK(overview->counts()[ResourceState::in_sync] == 3);
  CHECK(entry(overview, "b").since == t0);
  CHECK(entry(overview, "b").applied == picture.desired("b").digest);
  CHECK(overview->find({kind_folder, "org", "x"}) == nullptr);
}

TEST_CASE("overview: states of results, of plans, and of what was not come to") {
  const Picture picture;
  auto report = picture.report();
  picture.failed(report, "a", "no");
  picture.plan(report, "b", Verb::update);  // not come to
  auto overview = make_overview(nullptr, report, t0);
  CHECK(entry(overview, "a").state == ResourceState::failed);
  CHECK(entry(overview, "a").message == "no");
  CHECK(entry(overview, "a").hint == "mend it");
  CHECK(entry(overview, "b").state == ResourceState::drifted);
  CHECK_FALSE(entry(overview, "b").message.empty());
  CHECK_FALSE(entry(overview, "b").applied);
  CHECK(entry(overview, "c").state == ResourceState::in_sync);

  report = picture.report();
  picture.plan(report, "a", Verb::wait).verdict.reason = "until noon";
  picture.plan(report, "b", Verb::blocked).verdict.reason = "not ours";
  picture.plan(report, "c", Verb::unknown).verdict.reason = "cannot be read";
  overview = make_overview(nullptr, report, t0);
  CHECK(entry(overview, "a").state == ResourceState::held);
  CHECK(entry(overview, "a").message == "until noon");
  CHECK(entry(overview, "b").state == ResourceState::failed);
  CHECK(entry(overview, "c").state == ResourceState::skipped);
  CHECK(overview->counts().total() == 3);
}

TEST_CASE("overview: since when, and what was changed, outlive a cycle that finds the same") {
  const Picture picture;
  auto report = picture.report();
  picture.done(report, "a");
  picture.failed(report, "b", "no");
  const auto first = make_overview(nullptr, report, t0);
  CHECK(entry(first, "a").changed_at == t0);

  auto again = picture.report();
  picture.failed(again, "b", "no");
  const auto second = make_overview(first, again, t0 + seconds(60));
  CHECK(entry(second, "a").since == t0);
  CHECK(entry(second, "a").changed_at == t0);
  CHECK(entry(second, "b").since == t0);
  CHECK(second->version == first->version);

  auto other = picture.report();
  picture.failed(other, "b", "still no, but for another reason");
  const auto third = make_overview(second, other, t0 + seconds(120));
  CHECK(entry(third, "b").since == t0);  // it has failed since then; why, may change
  CHECK(third->version > second->version);
  const auto mended = make_overview(third, picture.report(), t0 + seconds(180));
  CHECK(entry(mended, "b").since == t0 + seconds(180));
}

TEST_CASE("overview: a cycle that saw nothing leaves the picture as it was") {
  const Picture picture;
  const auto first = make_overview(nullptr, picture.report(), t0);
  reconcile::Report stopped;
  stopped.stopped = Error(ErrorCode::unavailable, "no connection");
  CHECK(make_overview(first, stopped, t0 + seconds(60)) == first);
  CHECK(make_overview(nullptr, stopped, t0) == nullptr);
}

TEST_CASE("cause: drift is a change of somebody else, not of the manifests") {
  Picture picture;
  Verdict update;
  update.verb = Verb::update;
  Verdict create;
  create.verb = Verb::create;
  CHECK(status::cause_of(nullptr, picture.desired("a"), update) == "start");
  CHECK(status::cause_of(nullptr, picture.desired("a"), create) == "manifest");
  const auto overview = make_overview(nullptr, picture.report(), t0);
  CHECK(status::cause_of(overview.get(), picture.desired("a"), update) == "drift");
  CHECK(status::cause_of(overview.get(), picture.desired("a"), create) == "drift");  // somebody took it away
  picture.want({"a", "b", "c", "d"}, "2");
  CHECK(status::cause_of(overview.get(), picture.desired("a"), update) == "manifest");
  CHECK(status::cause_of(overview.get(), picture.desired("d"), create) == "manifest");
  Verdict rotation = update;
  rotation.cause = "rotation";
  CHECK(status::cause_of(overview.get(), picture.desired("a"), rotation) == "rotation");
}

TEST_CASE("cause: what failed to be applied is still the manifests' change when it is tried again") {
  Picture picture;
  const auto first = make_overview(nullptr, picture.report(), t0);
  picture.want({"a", "b", "c"}, "2");
  auto report = picture.report();
  picture.failed(report, "a", "no");
  const auto second = make_overview(first, report, t0 + seconds(60));
  Verdict update;
  update.verb = Verb::update;
  CHECK(status::cause_of(second.get(), picture.desired("a"), update) == "manifest");
  CHECK(status::cause_of(second.get(), picture.desired("b"), update) == "drift");
}

TEST_CASE("cause: what the first cycle found different, and could not mend, is still of the start") {
  Picture picture;
  auto report = picture.report();
  picture.failed(report, "a", "no");
  const auto first = make_overview(nullptr, report, t0);
  auto again = picture.report();
  picture.failed(again, "a", "no");
  const auto second = make_overview(first, again, t0 + seconds(60));
  Verdict update;
  update.verb = Verb::update;
  CHECK(status::cause_of(first.get(), picture.desired("a"), update) == "start");
  CHECK(status::cause_of(second.get(), picture.desired("a"), update) == "start");
  picture.want({"a", "b", "c"}, "2");
  CHECK(status::cause_of(second.get(), picture.desired("a"), update) == "manifest");
}
