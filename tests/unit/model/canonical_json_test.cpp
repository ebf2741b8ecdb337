#include "model/canonical_json.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

using graft::canonical_text;
using graft::parse_json;

namespace {

std::string canonical(std::string_view text) {
  const auto document = parse_json(text);
  return document ? canonical_text(*document) : "refused: " + document.error().message;
}

struct Case {
  std::string_view text, expected;
};

}  // namespace

TEST_CASE("numbers are written as the shortest text of their float64, as Grafana keeps them") {
  for (const Case& each : {
           Case{"1.0", "1"},
           Case{"-0.0", "0"},
           Case{"0", "0"},
           Case{"1e3", "1000"},
           Case{"1e18", "1000000000000000000"},
           Case{"1e20", "100000000000000000000"},
           Case{"1e21", "1e+21"},
           Case{"9007199254740993", "9007199254740992"},
           Case{"-9007199254740993", "-9007199254740992"},
           Case{"18446744073709551615", "18446744073709551616"},
           Case{"0.1000000000000000055", "0.1"},
           Case{"1.5", "1.5"},
           Case{"0.000001", "0.000001"},
           Case{"0.0000001", "1e-07"},
           Case{"1e-400", "0"},
           Case{"-12.25e2", "-1225"},
       }) {
    CAPTURE(each.text);
    CHECK(canonical(each.text) == each.expected);
  }
}

TEST_CASE("two texts of one document have one canonical text") {
  CHECK(canonical(R"({"b": [1, 2.0, {"y": null, "x": true}], "a": "z"})") ==
        R"({"a":"z","b":[1,2,{"x":true,"y":null}]})");
  CHECK(canonical("{\"b\":1,\n\t\"a\":2}") == canonical("{\"a\":2.0,\"b\":1}"));
  CHECK(canonical(R"({"B":1,"a":2,"Ä":3,"é":4})") == R"({"B":1,"a":2,"Ä":3,"é":4})");
  CHECK(canonical("[3,1,2]") == "[3,1,2]");
}

TEST_CASE("strings keep their characters and escape only what JSON must") {
  CHECK(canonical(R"("\u00e9\ud83d\ude00/")") == "\"é😀/\"");
  CHECK(canonical(R"("\/\"\\\b\f\n\r\t\u0001\u001f")") == R"("/\"\\\b\f\n\r\t\u0001\u001f")");
  CHECK(canonical("\"${DS_X} \x7f\"") == "\"${DS_X} \x7f\"");
}

TEST_CASE("canonical text reads back as itself") {
  for (const std::string_view text :
       {R"({"a":[1,1.5,"x\n",null,true,{}],"b":{"c":[]}})", "[]", "\"\"", "1e+300", "5e-324"}) {
    CHECK(canonical(text) == text);
    CHECK(canonical(canonical(text)) == canonical(text));
  }
}

TEST_CASE("what is no JSON is refused with its place") {
  struct Bad {
    std::string_view text, message;
    std::uint32_t line, column;
  };
  const std::string nul_inside("[\"a\0b\"]", 7);
  for (const Bad& each : {
           Bad{"", "not JSON", 1, 1},
           Bad{"{", "not JSON", 1, 2},
           Bad{"{\"a\": 1,\n \"b\": x}", "not JSON", 2, 7},
           Bad{"{\"a\":1} {}", "not JSON", 1, 9},
           Bad{"// c\n{}", "not JSON", 1, 1},
           Bad{"[1,]", "not JSON", 1, 4},
           Bad{"{\"a\":1,\n\"b\":2,\"a\":3}", "\"a\" is given twice", 2, 9},
           Bad{"{\"o\":{\"k\":1,\"k\":1}}", "\"k\" is given twice", 1, 15},
           Bad{"[\"\xff\"]", "UTF-8", 1, 3},
           Bad{"[\"\xc0\x80\"]", "UTF-8", 1, 3},
           Bad{nul_inside, "not JSON", 1, 4},
           Bad{"1e999", "too large", 1, 5},
           Bad{"NaN", "not JSON", 1, 1},
       }) {
    CAPTURE(each.text);
    const auto document = parse_json(each.text);
    REQUIRE_FALSE(document.has_value());
    CHECK(document.error().code == graft::ErrorCode::invalid);
    CHECK_MESSAGE(document.error().message.find(each.message) != std::string::npos, document.error().message);
    CHECK(document.error().where.line == each.line);
    CHECK(document.error().where.column == each.column);
  }
}

TEST_CASE("equal keys in different objects are no duplicates") {
  CHECK(canonical(R"([{"a":1},{"a":{"a":2}}])") == R"([{"a":1},{"a":{"a":2}}])");
}

TEST_CASE("64 levels are read, the 65th is refused, a hundred thousand cost nothing") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(64)).has_value());
  CHECK(canonical(nested(65)).starts_with("refused: nested deeper than 64"));
  CHECK(canonical(nested(100'000)).starts_with("refused: nested deeper than 64"));
  CHECK(canonical(std::string(100'000, '[')).starts_with("refused: nested deeper than 64"));
}
