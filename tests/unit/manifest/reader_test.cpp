#include "manifest/reader.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/limits.hpp"
#include "manifest/node_json.hpp"
#include "model/canonical_json.hpp"

using namespace graft;
using namespace graft::manifest;

namespace {

struct ReadResult {
  bool sound = false;
  std::vector<std::string> documents;  // as canonical JSON
  std::vector<Node> nodes;
  std::string problem;  // the first one, whole
};

using Reader = bool (*)(std::string_view, const FileName&, Diagnostics&, const TakeDocument&);

ReadResult read_by(Reader reader, std::string_view text) {
  ReadResult result;
  Diagnostics diagnostics;
  result.sound = reader(text, std::make_shared<const std::string>("f"), diagnostics, [&](Node&& node) {
    const auto json = to_json(node);
    result.documents.push_back(json ? canonical_text(*json) : "refused: " + json.error().message);
    result.nodes.push_back(std::move(node));
  });
  if (!diagnostics.empty()) result.problem = diagnostics.items().front().to_string();
  CHECK(result.sound == diagnostics.empty());
  return result;
}

ReadResult yaml(std::string_view text) { return read_by(read_yaml, text); }
ReadResult json(std::string_view text) { return read_by(read_json, text); }

std::string first(const ReadResult& result) {
  return result.documents.empty() ? "refused: " + result.problem : result.documents.front();
}

struct Case {
  std::string_view text, expected;
};

}  // namespace

TEST_CASE("plain scalars have the type that they look like, and only JSON's numbers are numbers") {
  for (const Case& each : {
           Case{"1", "1"},
           Case{"-1.50", "-1.5"},
           Case{"1e3", "1000"},
           Case{"0", "0"},
           Case{"1.0", "1"},
           Case{"1e18", "1000000000000000000"},
           Case{"9007199254740993", "9007199254740992"},
           Case{"-0.0", "0"},
           Case{"true", "true"},
           Case{"FALSE", "false"},
           Case{"null", "null"},
           Case{"~", "null"},
           Case{"", "null"},
           Case{"yes", "\"yes\""},
           Case{"no", "\"no\""},
           Case{"on", "\"on\""},
           Case{"0640", "\"0640\""},
           Case{"0x1f", "\"0x1f\""},
           Case{"0o17", "\"0o17\""},
           Case{".5", "\".5\""},
           Case{"5.", "\"5.\""},
           Case{"+1", "\"+1\""},
           Case{"1_000", "\"1_000\""},
           Case{".inf", "\".inf\""},
           Case{".nan", "\".nan\""},
           Case{"12:30:45", "\"12:30:45\""},
           Case{"1.2.3", "\"1.2.3\""},
           Case{"2026-11-24", "\"2026-11-24\""},
           Case{"30d", "\"30d\""},
           Case{"-", "\"-\""},
           Case{"\"1\"", "\"1\""},
           Case{"'true'", "\"true\""},
           Case{"\"\"", "\"\""},
           Case{"'null'", "\"null\""},
           Case{"! 5", "\"5\""},
           Case{"${DS_X}", "\"${DS_X}\""},
           Case{"\"\\u00e9 😀\"", "\"é 😀\""},
       }) {
    CAPTURE(each.text);
    if (each.text == "-") continue;  // a list item, not a scalar
    CHECK(first(yaml(fmt::format("v: {}\n", each.text))) == fmt::format("{{\"v\":{}}}", each.expected));
  }
}

TEST_CASE("block scalars, flow style, comments and several documents are read") {
  CHECK(first(yaml("a: |\n  x\n  y\nb: >-\n  p\n  q\n")) == R"({"a":"x\ny\n","b":"p q"})");
  CHECK(first(yaml("{a: [1, {b: c}, ], \"d\": 'e'} # end\n")) == R"({"a":[1,{"b":"c"}],"d":"e"})");
  CHECK(yaml("# nothing\n").documents.empty());
  CHECK(yaml("").sound);
  CHECK(yaml("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n").documents ==
        std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"});
  CHECK(yaml("%YAML 1.2\n---\na: 1\n").documents.size() == 1);
  CHECK(first(yaml("a: 1\r\nb:\r\n  - c\r\n")) == R"({"a":1,"b":["c"]})");
  CHECK(first(yaml("\xef\xbb\xbf"
                   "a: 1\n")) == R"({"a":1})");
  CHECK(first(yaml("a: &x 'it''s'\nb: ! \"q\\\"\"\n'c': \"multi\n  line\"\n")) ==
        R"({"a":"it's","b":"q\"","c":"multi line"})");
}

TEST_CASE("every value knows its line and column") {
  const ReadResult result = yaml("# c\na: 1\nlist:\n  - name: x\n    role: y\n");
  REQUIRE(result.nodes.size() == 1);
  const Node& root = result.nodes.front();
  CHECK(root.at.to_string() == "f:2:1");
  CHECK(root.find("a")->at.to_string() == "f:2:4");
  const Node& item = root.find("list")->items.front();
  CHECK(item.at.to_string() == "f:4:5");
  CHECK(item.find("role")->at.to_string() == "f:5:11");
  CHECK(item.entries[1].key.at.to_string() == "f:5:5");
}

TEST_CASE("JSON values know their line and column too") {
  const ReadResult result = json("{\n  \"a\": [1, -2.5e1, \"q\\\"\\\\\", true,\n null],\n  \"b\": {\"c\": 7}}");
  REQUIRE_MESSAGE(result.nodes.size() == 1, result.problem);
  const Node& root = result.nodes.front();
  CHECK(root.at.to_string() == "f:1:1");
  const Node& list = *root.find("a");
  CHECK(list.at.to_string() == "f:2:8");
  CHECK(list.items[0].at.to_string() == "f:2:9");
  CHECK(list.items[1].at.to_string() == "f:2:12");
  CHECK(list.items[1].scalar == "-2.5e1");
  CHECK(list.items[2].at.to_string() == "f:2:20");
  CHECK(list.items[2].scalar == "q\"\\");
  CHECK(list.items[3].at.to_string() == "f:2:29");
  CHECK(list.items[4].at.to_string() == "f:3:2");
  CHECK(root.find("b")->find("c")->at.to_string() == "f:4:14");
  CHECK(root.entries[1].key.at.to_string() == "f:4:3");
  CHECK(result.documents.front() == R"({"a":[1,-25,"q\"\\",true,null],"b":{"c":7}})");
}

TEST_CASE("anchors and aliases stand for what they name, within limits") {
  CHECK(first(yaml("a: &x {k: [1]}\nb: *x\nc: *x\n")) == R"({"a":{"k":[1]},"b":{"k":[1]},"c":{"k":[1]}})");
  CHECK(first(yaml("a: &x 1\nb: &x 2\nc: *x\n")) == R"({"a":1,"b":2,"c":2})");
  CHECK(yaml("a: &x 1\n---\nb: *x\n").problem.find("f:3:4: error: not YAML") == 0);
}

TEST_CASE("bad YAML is refused with file, line, column and a reason") {
  const std::string nul("a: \"x\0y\"\n", 9);
  const std::string end_of_transmission = "a: 1\nb: \x04 2\n";
  for (const Case& each : {
           Case{",", "f:1:1: error: this follows a complete document"},
           Case{"--- ,", "f:1:5: error: this follows a complete document"},
           Case{",,,\n", "f:1:1: error: this follows a complete document"},
           Case{"a: 1\n---\n,\n", "f:3:1: error: this follows"},
           Case{"[a] [b]", "f:1:5: error: this follows a complete document"},
           Case{"--- a\n...\nb\n", "f:3:1: error: this follows"},
           Case{"a: ,\n", "f:1:4: error: not YAML"},
           Case{"a: 1\na: 2\n", "f:2:1: error: the key \"a\" is given twice (first at line 1"},
           Case{"a: {x: 1, y: 2, x: 3}\n", "f:1:17: error: the key \"x\" is given twice"},
           Case{"a: 1\n\"a\": 2\n", "f:2:1: error: the key \"a\" is given twice"},
           Case{"a: b: c\n", "f:1:5: error: not YAML: illegal map value (quote a value"},
           Case{"a:\n\tb: 1\n",
                "f:2:3: error: not YAML: illegal map value (quote a value that has \": \" in it; indent with spaces, "
                "never"},
           Case{"a: [1, 2\nb: 3\n", "error: not YAML"},
           Case{"a: \"x\n", "f:1:4: error: a quote is not closed"},
           Case{"a: 'x''\n\n", "f:1:4: error: a quote is not closed"},
           Case{"a: &k !\n  \"x\\\"\n", "error: a quote is not closed"},
           Case{"- \"x: y\n- z\n", "f:1:3: error: a quote is not closed"},
           Case{"a: \"x", "error: not YAML"},
           Case{"a: 1\n}\n", "error: not YAML"},
           Case{"a: *nowhere\n", "f:1:4: error: not YAML: the referenced anchor is not defined"},
           Case{"&a [*a]", "f:1:5: error: an alias inside of what it stands for"},
           Case{"a: &a {b: *a}", "f:1:11: error: an alias inside of what it stands for"},
           Case{"base: &b {x: 1}\nc:\n  <<: *b\n", "f:3:3: error: merge keys (<<) are not supported"},
           Case{"a: !!binary aGk=\n", "f:1:4: error: tag \"tag:yaml.org,2002:binary\": tags are not supported"},
           Case{"a: !mine 1\n", "error: tag \"!mine\": tags are not supported"},
           Case{"a: !!str 1\n", "f:1:4: error: tag"},
           Case{"!!map {a: 1}\n", "error: tag"},
           Case{"a: !x [1]\n", "error: tag"},
           Case{"null: 1\n", "f:1:1: error: a key must be a string, not nothing (quote it: \"null\")"},
           Case{"~: 1\n", "error: a key must be a string"},
           Case{"1: x\n", "f:1:1: error: a key must be a string, not a number (quote it: \"1\")"},
           Case{"true: x\n", "error: a key must be a string, not a boolean (quote it: \"true\")"},
           Case{"? [a]\n: b\n", "f:1:3: error: a key must be a string"},
           Case{"? {a: 1}\n: b\n", "error: a key must be a string"},
           Case{"a: &k x\n*k : y\n", "f:2:1: error: an alias cannot be a key"},
           Case{nul, "f:1:6: error: control character 0x00"},
           Case{"a: \"x\\0y\"\n", "f:1:4: error: NUL character in a string"},
           Case{end_of_transmission, "f:2:4: error: control character 0x04"},
           Case{"a: \x7f\n", "control character 0x7f"},
           Case{"a: \xff\n", "f:1:4: error: the file is not sound UTF-8"},
           Case{"a: \xed\xa0\x80\n", "f:1:4: error: the file is not sound UTF-8"},
           Case{"a: \xc0\xaf\n", "f:1:4: error: the file is not sound UTF-8"},
           Case{"a: 1\n\xef\xbb\xbf"
                "b: 2\n",
                "f:2:1: error: byte order mark inside the file"},
           Case{"a: \"\\ud800\"\n", "error: not YAML"},
       }) {
    CAPTURE(each.text);
    const ReadResult result = yaml(each.text);
    CHECK_FALSE(result.sound);
    CHECK_MESSAGE(result.problem.find(each.expected) != std::string::npos, result.problem);
    CHECK(result.problem.size() <= 500);
  }
}

TEST_CASE("quoted keys may look like anything") {
  CHECK(first(yaml("\"1\": a\n'true': b\n\"<<\": c\n\"\": d\non: e\n")) ==
        R"({"":"d","1":"a","<<":"c","on":"e","true":"b"})");
}

TEST_CASE("bad JSON is refused with file, line, column and a reason") {
  const std::string nul_escape = "{\"a\":\n \"x\\u0000\"}";
  for (const Case& each : {
           Case{"{\"a\": 1,\n\"a\": 2}", "f:2:1: error: the key \"a\" is given twice (first at line 1"},
           Case{"{\"a\": 1,}", "f:1:9: error: not JSON"},
           Case{"{'a': 1}", "error: not JSON"},
           Case{"{} {}", "error: not JSON"},
           Case{"{\"a\": 1e999}", "too large"},
           Case{"{\"a\": \"\xff\"}", "f:1:8: error: the file is not sound UTF-8"},
           Case{nul_escape, "f:2:2: error: NUL character in a string"},
           Case{"", "error: not JSON"},
       }) {
    CAPTURE(each.text);
    const ReadResult result = json(each.text);
    CHECK_FALSE(result.sound);
    CHECK_MESSAGE(result.problem.find(each.expected) != std::string::npos, result.problem);
  }
}

namespace {

std::string billion_laughs() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) text += fmt::format("*a{}, ", i - 1);
    text += "]\n";
  }
  return text;
}

std::string quadratic() {
  std::string text = "a: &a [" + std::string(2'000, ' ');
  for (int i = 0; i < 2'000; ++i) text += "x, ";
  text += "]\nb: [";
  for (int i = 0; i < 99; ++i) text += "*a, ";
  return text + "]\n";
}

std::string many_aliases() {
  std::string text = "a: &a 1\nb: [";
  for (int i = 0; i < 101; ++i) text += "*a, ";
  return text + "]\n";
}

std::string nested_anchors() {  // remembering each would copy the whole again and again
  std::string text;
  for (int i = 0; i < 60; ++i) text += fmt::format("&a{} [", i);
  for (int i = 0; i < 20'000; ++i) text += "x, ";
  return text + std::string(60, ']');
}

}  // namespace

TEST_CASE("hostile documents are refused at once") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  std::string deep_map, deep_block;
  for (int i = 0; i < 70; ++i) deep_map += "{a: ";
  deep_map += std::string(70, '}');
  for (int i = 0; i < 70; ++i) deep_block += std::string(static_cast<std::size_t>(i) * 2, ' ') + "a:\n";
  std::string nodes = "[";
  for (std::size_t i = 0; i <= limits::nodes; ++i) nodes += "1,";
  nodes += "]";
  std::string aliased_depth = "a: &a " + std::string(40, '[') + std::string(40, ']') + "\nb: " + std::string(30, '[') +
                              "*a" + std::string(30, ']') + "\n";
  struct Hostile {
    std::string_view name;
    std::string text;
    std::string_view expected;
  };
  for (const Hostile& each : {
           Hostile{"billion laughs", billion_laughs(), "anchors and aliases stand for more than"},
           Hostile{"quadratic", quadratic(), "anchors and aliases stand for more than"},
           Hostile{"many aliases", many_aliases(), "more than 100 aliases"},
           Hostile{"nested anchors", nested_anchors(), "anchors and aliases stand for more than"},
           Hostile{"deep list", deep, "nested deeper than 64"},
           Hostile{"deep list without an end", std::string(100'000, '['), "error: "},
           Hostile{"deep list of lists", "a:\n" + std::string(2 * 80, ' ') + deep, "nested deeper than 64"},
           Hostile{"deep map", deep_map, "nested deeper than 64"},
           Hostile{"deep block", deep_block, "nested deeper than 64"},
           Hostile{"deep through an alias", aliased_depth, "nested deeper than 64"},
           Hostile{"many nodes", nodes, "more than 250000 values"},
       }) {
    CAPTURE(each.name);
    const auto start = std::chrono::steady_clock::now();
    const ReadResult result = yaml(each.text);
    CHECK_FALSE(result.sound);
    CHECK_MESSAGE(result.problem.find(each.expected) != std::string::npos, result.problem);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));  // under sanitizers; never "for ever"
  }
  CHECK(json(std::string(100'000, '[')).problem.find("nested deeper than 64") != std::string::npos);
}

TEST_CASE("64 levels are read") {
  const std::string text = std::string(64, '[') + std::string(64, ']');
  CHECK(yaml(text).sound);
  CHECK(json(text).sound);
}

TEST_CASE("documents before a broken one have been taken, so that their problems are seen as well") {
  const ReadResult result = yaml("a: 1\n---\nb: [\n");
  CHECK_FALSE(result.sound);
  CHECK(result.documents == std::vector<std::string>{"{\"a\":1}"});
}

TEST_CASE("a number that no float64 holds is refused where it stands") {
  const ReadResult result = yaml("a: 1e999\n");
  CHECK(result.documents.front() == "refused: the number 1e999 is too large");
  CHECK(first(yaml("a: 1e-999\n")) == R"({"a":0})");
}

TEST_CASE("every prefix of a manifest, and every text of few odd characters, ends in an answer") {
  const std::string text = "a: &x [1, {b: 'c'}]\nd:\n  - *x\n  - |\n    t\n---\n? q\n: \"\\x41\"\n";
  for (std::size_t length = 0; length <= text.size(); ++length) (void)yaml(std::string_view(text).substr(0, length));
  constexpr std::string_view odd = ",:?-[]{}&*!|>'\"#%@ \na";
  for (const char a : odd) {
    for (const char b : odd) {
      for (const char c : odd) (void)yaml(std::string{a, b, c});
    }
  }
  CHECK(true);
}
