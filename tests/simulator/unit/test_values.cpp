// The simulator's small parts, each by itself: Go's numbers, keys, slugs, faults as text.
#include <doctest/doctest.h>

#include "simulator/faults.hpp"
#include "simulator/json.hpp"
#include "simulator/managed_fields.hpp"
#include "simulator/rules.hpp"
#include "simulator/slug.hpp"
#include "simulator/text.hpp"
#include "simulator/token_key.hpp"

namespace graft::simulator {
namespace {

TEST_CASE("numbers are printed as Go prints a float64") {
  const std::pair<double, const char*> rows[] = {{0, "0"},
                                                 {-0.0, "-0"},
                                                 {1, "1"},
                                                 {2.5, "2.5"},
                                                 {1000, "1000"},
                                                 {1e20, "100000000000000000000"},
                                                 {1e21, "1e+21"},
                                                 {1.5e300, "1.5e+300"},
                                                 {1e-6, "0.000001"},
                                                 {1e-7, "1e-7"},
                                                 {1.25e-10, "1.25e-10"},
                                                 {0.1000000000000000055, "0.1"},
                                                 {9007199254740993.0, "9007199254740992"},
                                                 {12345678901234567890.0, "12345678901234567000"},
                                                 {-1234.5, "-1234.5"}};
  for (const auto& [value, text] : rows) CHECK(print_float64(value) == text);
}

TEST_CASE("only the first JSON value of a body counts") {
  CHECK(first_value(R"({"a":"}"} trailing)")->dump() == R"({"a":"}"})");
  CHECK(first_value("  [1] 2")->dump() == "[1]");
  CHECK(first_value("5 6")->dump() == "5");
  CHECK_FALSE(first_value(R"({"a":)").has_value());
  CHECK_FALSE(first_value("").has_value());
}

TEST_CASE("a field is found in any letter case, the exact name first") {
  const Json body = {{"NAME", "upper"}, {"name", "lower"}, {"Role", nullptr}};
  bool bad = false;
  CHECK(string_field(body, "name", bad) == "lower");
  CHECK(string_field(body, "nAmE", bad) == "upper");
  CHECK(string_field(body, "role", bad).empty());
  CHECK_FALSE(bad);
  CHECK(integer_field({{"n", 1.5}}, "n", bad) == 0);
  CHECK(bad);
}

TEST_CASE("keys carry a checksum that anybody can check") {
  CHECK(is_well_formed_key(new_key()));
  CHECK(is_well_formed_key("glsa_00000000000000000000000000000000_162149fe"));
  CHECK_FALSE(is_well_formed_key("glsa_00000000000000000000000000000000_162149ff"));
  CHECK_FALSE(is_well_formed_key("glsa_short_00000000"));
}

TEST_CASE("slugs") {
  CHECK(slug_of("  Dash -- Title! ") == "dash-title");
  CHECK(slug_of("Säme Title") == "same-title");
  CHECK(slug_of("Zürich & Co") == "zuerich-and-co");
  CHECK(slug_of("!!!").size() == 7);
  CHECK(slug_of(std::string(60, 'a')).size() == 7);
}

TEST_CASE("durations of refresh intervals") {
  CHECK(seconds_of_duration("5s") == 5);
  CHECK(seconds_of_duration("1m30s") == 90);
  CHECK(seconds_of_duration("2d") == 172800);
  CHECK_FALSE(seconds_of_duration("soon").has_value());
  CHECK_FALSE(seconds_of_duration("").has_value());
}

TEST_CASE("letters are lowered beyond ASCII and bad UTF-8 does no harm") {
  CHECK(lower_case("ÄÉŁŽ Б") == "äéłž б");
  CHECK(decode_utf8("\xFF"
                    "a")
            .size() == 2);
  CHECK(decode_utf8("\xE2\x82").size() == 2);
}

TEST_CASE("base64 there and back") {
  for (const char* text : {"", "a", "ab", "abc", "user:pass word"}) CHECK(base64_decode(base64_encode(text)) == text);
  CHECK_FALSE(base64_decode("AAA").has_value());
  CHECK_FALSE(base64_decode("%%%%").has_value());
}

TEST_CASE("who owns a field is who wrote it last") {
  const Time now;
  const Writer first{"first", "v1"};
  const Writer second{"second", "v1"};
  const Json one = {{"spec", {{"a", 1}, {"b", 2}}}};
  const Json two = {{"spec", {{"a", 1}, {"b", 3}}}};
  const auto made = updated_owners({}, Json::object(), one, first, now);
  const auto changed = updated_owners(made, one, two, second, now);
  REQUIRE(changed.size() == 2);
  CHECK(changed[0].fields == FieldSet{{"spec", "a"}});
  CHECK(changed[1].fields == FieldSet{{"spec", "b"}});
  CHECK(same_fields(changed, updated_owners(changed, two, two, second, now)));
  const auto emptied = updated_owners(changed, two, {{"spec", {{"b", 3}}}}, second, now);
  CHECK(emptied.size() == 1);
}

TEST_CASE("faults as they are written on the command line") {
  const auto drop = parse_fault("POST /api/orgs=drop_reply");
  REQUIRE(drop);
  CHECK(drop->kind == Fault::Kind::drop_reply);
  CHECK(drop->method == "POST");
  CHECK(drop->route == "/api/orgs");
  const auto third = parse_fault("#3=status:502 busy@2");
  REQUIRE(third);
  CHECK(*third->number == 3);
  CHECK(third->status == 502);
  CHECK(third->body == "busy");
  CHECK(third->times == 2);
  const auto any = parse_fault("* *=delay:200");
  REQUIRE(any);
  CHECK(any->method.empty());
  CHECK(any->delay == std::chrono::milliseconds(200));
  for (const char* bad : {"", "POST", "POST /x", "POST /x=nonsense", "#0=refuse", "POST /x=delay:soon", "x=refuse:5"}) {
    CHECK_FALSE(parse_fault(bad).has_value());
  }
}

}  // namespace
}  // namespace graft::simulator
