// The comparison itself: what it lets pass and what it does not.
#include <doctest/doctest.h>

#include "conformance/comparison.hpp"

namespace graft::conformance {
namespace {

const Variables variables = {{"org", {13, 2}}, {"uid", {"ab-1", "xyz"}}};

bool same(const Json& recorded, const Json& actual, const Tolerance& tolerance = {}) {
  return differences(recorded, actual, tolerance, variables).empty();
}

TEST_CASE("values must be equal, fields neither missing nor added") {
  CHECK(same({{"a", 1}}, {{"a", 1}}));
  CHECK_FALSE(same({{"a", 1}}, {{"a", 2}}));
  CHECK_FALSE(same({{"a", 1}}, {{"a", "1"}}));
  CHECK_FALSE(same({{"a", 1}}, Json::object()));
  CHECK_FALSE(same(Json::object(), {{"a", 1}}));
  CHECK_FALSE(same({{"a", nullptr}}, Json::object()));
}

TEST_CASE("a variable's values stand for each other, inside texts as whole words only") {
  CHECK(same(13, 2));
  CHECK_FALSE(same(13, 3));
  CHECK(same("sa-13-robot", "sa-2-robot"));
  CHECK_FALSE(same("sa-130-robot", "sa-20-robot"));
  CHECK_FALSE(same("sa-13-robot", "sa-3-robot"));
  CHECK(same("/d/ab-1/title", "/d/xyz/title"));
  CHECK_FALSE(same("/d/ab-1/title", "/d/xyz/other"));
  CHECK(same("13 and ab-1", "2 and xyz"));
}

TEST_CASE("values that may vary are compared by type") {
  const Tolerance tolerance{{"/items/*/id", "/grafana.app~1x"}, {}};
  CHECK(same({{"items", {{{"id", 1}}, {{"id", 2}}}}}, {{"items", {{{"id", 7}}, {{"id", 8.5}}}}}, tolerance));
  CHECK_FALSE(same({{"items", {{{"id", 1}}}}}, {{"items", {{{"id", "1"}}}}}, tolerance));
  CHECK(same({{"grafana.app/x", "1"}}, {{"grafana.app/x", "2"}}, tolerance));
  CHECK_FALSE(same({{"other", "1"}}, {{"other", "2"}}, tolerance));
  CHECK(same({{"any", 1}}, {{"thing", true}}, {{""}, {}}));
  CHECK_FALSE(same({{"any", 1}}, Json::array(), {{""}, {}}));
}

TEST_CASE("the order of an array counts unless it is said not to") {
  CHECK_FALSE(same({1, 3}, {3, 1}));
  CHECK(same({1, 3}, {3, 1}, {{}, {"/"}}));
  CHECK_FALSE(same({1, 1}, {1, 3}, {{}, {"/"}}));
  CHECK(same({{"a", {1, 3}}}, {{"a", {3, 1}}}, {{}, {"/a"}}));
  CHECK_FALSE(same({1, 3}, {1}, {{}, {"/"}}));
}

}  // namespace
}  // namespace graft::conformance
