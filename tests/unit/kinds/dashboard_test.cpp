#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kinds/dashboard_model.hpp"
#include "kinds/dashboard_spec.hpp"
#include "unit/kinds/loading.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::string board(std::string_view metadata, std::string_view spec) { return document("Dashboard", metadata, spec); }
std::string folder() { return document("Folder", "uid: ops", "{title: T}"); }

// A dashboard in a file beside its manifest, with uid d.
manifest::LoadResult with_file(std::string json, std::string_view more = "", std::string_view metadata = "uid: d") {
  return load_files(MemoryFiles(
      {{"t/m.yaml", board(metadata, fmt::format("{{file: d.json{}}}", more))}, {"t/d.json", std::move(json)}}));
}

std::string spec_of(const manifest::LoadResult& result, std::string_view uid = "d") {
  const auto read = kinds::dashboard_from_canonical(canonical_of(result, fmt::format("Dashboard o/{}", uid)));
  return read ? read->spec : report(result);
}

}  // namespace

TEST_CASE("an inline model is taken as it is written, but for id, uid and version, and blanks round its title") {
  const auto result = load_text(
      folder() +
      "---\napiVersion: graftd/v1\nkind: Dashboard\nmetadata: {uid: d, organization: o}\nspec:\n"
      "  folder: ops\n  model:\n    id: null\n    uid: d\n    version: 7\n    title: '  Über ${DS_X}  '\n"
      "    tags: [a, a, b]\n    refresh: 1s\n    float: 1.0\n    big: 1e18\n    beyond: 9007199254740993\n"
      "    minus: -0.0\n    yes: on\n    nothing: ~\n    empty: {}\n    panels:\n      - {id: 3, title: ' x '}\n");
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(
      canonical_of(result, "Dashboard o/d") ==
      R"({"folder":"ops","spec":{"beyond":9007199254740992,"big":1000000000000000000,"empty":{},"float":1,"minus":0,"nothing":null,)"
      R"("panels":[{"id":3,"title":" x "}],"refresh":"1s","tags":["a","a","b"],"title":"Über ${DS_X}","yes":"on"}})");
}

TEST_CASE("all shapes in which Grafana gives out a dashboard become one model") {
  const std::string model = R"({"title":"T","panels":[{"id":1}],"uid":"d","id":5,"version":3})";
  const std::string expected = R"({"panels":[{"id":1}],"title":"T"})";
  CHECK(spec_of(with_file(model)) == expected);
  CHECK(spec_of(with_file("\xef\xbb\xbf" + model)) == expected);
  CHECK(spec_of(with_file(R"({"dashboard":)" + model + R"(,"folderUid":"","overwrite":true})")) == expected);
  CHECK(spec_of(with_file(R"({"meta":{"slug":"t"},"dashboard":)" + model + "}")) == expected);
  for (const std::string_view version : {"v0alpha1", "v1beta1", "v1", "v1alpha1"}) {
    const std::string object = fmt::format(
        R"({{"apiVersion":"dashboard.grafana.app/{}","kind":"Dashboard","metadata":{{"name":"d"}},"spec":{},"status":{{}}}})",
        version, model);
    CHECK(spec_of(with_file(object)) == expected);
    CHECK(spec_of(with_file(object, "", "")) == expected);  // its name is its uid
    CHECK(spec_of(with_file(R"({"dashboard":)" + object + "}")) == expected);
  }
  CHECK(spec_of(with_file(model, "", "")) == expected);
}

TEST_CASE("a folder in the dashboard's own document is not used, and that is said") {
  const auto result = with_file(R"({"dashboard":{"title":"T"},"folderUid":"ops"})");
  REQUIRE(result.state != nullptr);
  CHECK(canonical_of(result, "Dashboard o/d") == R"({"folder":"","spec":{"title":"T"}})");
  CHECK_MESSAGE(
      says(result, "t/d.json: warning: Dashboard o/d: the folder \"ops\" in the dashboard's document is not used"),
      report(result));
}

TEST_CASE("what Grafana would refuse, or graftd cannot do yet, is refused with a reason") {
  const std::string long_title(5001, 'x'), long_tag(51, 'x');
  struct Case {
    std::string json;
    std::string_view expected;
  };
  for (
      const Case& each : {
          Case{"{\"title\": }", "t/d.json:1:11: error: Dashboard o/d: not JSON"},
          Case{"", "not JSON"},
          Case{"<html>", "t/d.json:1:1: error: Dashboard o/d: not JSON"},
          Case{"title: yaml", "not JSON"},
          Case{"{\"title\":\"a\",\n\"title\":\"b\"}",
               "t/d.json:2:7: error: Dashboard o/d: the key \"title\" is given twice"},
          Case{"[]", "a dashboard is a JSON object (this is array)"},
          Case{"{\"panels\":[]}", "the dashboard has no title"},
          Case{"{\"title\":5}", "title: expected a string, found number"},
          Case{"{\"title\":\" \\t \"}", "title: must not be empty or blanks only"},
          Case{"{\"title\":\"" + long_title + "\"}", "title: longer than 5000 characters"},
          Case{"{\"title\":\"T\",\"tags\":[\"" + long_tag + "\"]}", "longer than 50 characters"},
          Case{"{\"title\":\"T\",\"tags\":[5]}", "tags: expected strings, found number"},
          Case{"{\"title\":\"T\",\"uid\":5}", "uid: expected a string"},
          Case{"{\"title\":\"T\",\"x\":\"a\\u0000b\"}", "a NUL character in a string of the dashboard"},
          Case{"{\"title\":\"T\",\"x\":1e999}", "too large"},
          Case{
              R"({"apiVersion":"dashboard.grafana.app/v2beta1","kind":"Dashboard","metadata":{"name":"d"},"spec":{"title":"T"}})",
              "new layout format (v2beta1), which is not supported yet (export it as classic JSON)"},
          Case{R"({"title":"T","elements":{},"layout":{"kind":"GridLayout"}})",
               "new layout format (v2), which is not supported yet"},
          Case{R"({"apiVersion":"dashboard.grafana.app/v3","kind":"Dashboard","spec":{"title":"T"}})", "is not known"},
          Case{R"({"apiVersion":"dashboard.grafana.app/v1","kind":"Folder","spec":{"title":"T"}})",
               "is no dashboard that graftd can read"},
          Case{R"({"apiVersion":"grizzly.grafana.com/v1alpha1","kind":"Dashboard","spec":{"title":"T"}})",
               "is no dashboard that graftd can read"},
          Case{R"({"apiVersion":"graftd/v1","kind":"Folder"})", "this is a manifest of graftd, not a dashboard"},
          Case{R"({"apiVersion":"dashboard.grafana.app/v1","kind":"Dashboard"})", "the dashboard object has no spec"},
          Case{R"({"title":"T","__elements":{"x":{"name":"lib"}}})",
               "library panels (__elements), which are not supported yet"},
          Case{R"({"title":"T","__inputs":5})", "__inputs is not a list"},
          Case{R"({"title":"T","__inputs":[{"type":"datasource"}]})", "an entry of __inputs has no name"},
      }) {
    CAPTURE(each.json.substr(0, 80));
    const auto result = with_file(each.json);
    CHECK(result.state == nullptr);
    CHECK(result.diagnostics.error_count() == 1);
    CHECK_MESSAGE(says(result, each.expected), report(result));
  }
  CHECK(with_file("{\"title\":\"" + long_title.substr(1) + "\",\"tags\":\"not a list\",\"panels\":\"odd\"}").state !=
        nullptr);
}

TEST_CASE("an export for sharing externally needs a value for each of its inputs") {
  const std::string exported = R"({"__inputs":[{"name":"DS_PROM","type":"datasource","pluginId":"prometheus"},
    {"name":"VAR_PREFIX","type":"constant","value":"collectd"}],"__requires":[{"id":"grafana"}],"__elements":{},
    "title":"T ${VAR_PREFIX}","${DS_PROM}":"key","panels":[{"datasource":{"uid":"${DS_PROM}"},
    "expr":"a{x=\"${other}\"}${DS_PROM}${DS_PROM} ${DS_PROM","n":1}]})";
  const auto bare = with_file(exported);
  CHECK(bare.state == nullptr);
  CHECK_MESSAGE(
      says(bare, "was exported for sharing externally and asks for DS_PROM (datasource), VAR_PREFIX (constant)"),
      report(bare));
  CHECK_MESSAGE(says(bare, "add inputs: {DS_PROM: <data source uid>, VAR_PREFIX: <value>}"), report(bare));
  const auto half = with_file(exported, ", inputs: {DS_PROM: p1}");
  CHECK_MESSAGE(says(half, "asks for VAR_PREFIX (constant)"), report(half));
  const auto full = with_file(exported, ", inputs: {DS_PROM: p1, VAR_PREFIX: \"${DS_PROM}\"}");
  CHECK(
      spec_of(full) ==
      R"({"${DS_PROM}":"key","panels":[{"datasource":{"uid":"p1"},"expr":"a{x=\"${other}\"}p1p1 ${DS_PROM","n":1}],"title":"T ${DS_PROM}"})");
  const auto unknown = with_file(exported, ", inputs: {DS_PROM: p1, VAR_PREFIX: x, DS_PRM: y}");
  CHECK_MESSAGE(says(unknown, "inputs: no dashboard here asks for \"DS_PRM\" (did you mean \"DS_PROM\"?)"),
                report(unknown));
  const auto needless = with_file(R"({"title":"T"})", ", inputs: {DS_X: y}");
  CHECK_MESSAGE(says(needless, "inputs: no dashboard here asks for \"DS_X\" (take it out)"), report(needless));
  CHECK(spec_of(with_file(R"({"title":"${DS_X}","__inputs":[],"__requires":[],"__elements":{}})")) ==
        R"({"title":"${DS_X}"})");
}

TEST_CASE("variables are replaced once, from left to right, as Grafana's import does") {
  struct Case {
    std::string_view text, expected;
  };
  for (const Case& each : {
           Case{"${A}", "1"},
           Case{"x${A}y${B}z", "x1y${A}z"},
           Case{"$${A}}", "$1}"},
           Case{"${C}${A}", "${C}1"},
           Case{"${x ${A}", "${x ${A}"},
           Case{"${\n${A}", "${\n1"},
           Case{"${}", "${}"},
           Case{"${}${A}", "${}${A}"},
           Case{"${", "${"},
           Case{"", ""},
           Case{"${A:csv}", "${A:csv}"},
           Case{"$A", "$A"},
       }) {
    nlohmann::json value = each.text;
    kinds::substitute(value, {{"${A}", "1"}, {"${B}", "${A}"}});
    CAPTURE(each.text);
    CHECK(value.get<std::string>() == each.expected);
  }
}

TEST_CASE("the uid of the manifest wins; without one the model's is used; without any it is an error") {
  const auto differs = with_file(R"({"title":"T","uid":"other"})");
  CHECK(find(differs, "Dashboard o/d") != nullptr);
  CHECK_MESSAGE(says(differs, "warning: Dashboard o/d: the model says uid \"other\"; the manifest's wins"),
                report(differs));
  CHECK(find(with_file(R"({"title":"T","uid":"own"})", "", ""), "Dashboard o/own") != nullptr);
  for (const std::string_view uid : {"null", "\"\""}) {
    const auto without = with_file(fmt::format(R"({{"title":"T","uid":{}}})", uid), "", "");
    CHECK_MESSAGE(says(without, "t/m.yaml:2:1: error: Dashboard: the dashboard has no uid (give it one"),
                  report(without));
  }
  CHECK(says(with_file(R"({"title":"T","uid":"a b"})", "", ""), "uid: \"a b\" has a character that Grafana refuses"));
  CHECK(says(with_file(R"({"title":"T"})", "", "uid: a.b"), "uid: \"a.b\" has a character that Grafana refuses"));
  const auto model = load_text(board("", "{model: {title: T}}"));
  CHECK_MESSAGE(says(model, "m.yaml:2:1: error: Dashboard: the dashboard has no uid"), report(model));
}

TEST_CASE("problems of an inline model are reported where they stand in the manifest") {
  const auto result = load_text(
      "apiVersion: graftd/v1\nkind: Dashboard\nmetadata: {uid: d, organization: o}\nspec:\n  model:\n    title: [x]\n  "
      "  tags: [1]\n");
  CHECK_MESSAGE(says(result, "m.yaml:6:12: error: Dashboard o/d: title: expected a string, found array"),
                report(result));
  CHECK_MESSAGE(says(result, "m.yaml:7:11: error: Dashboard o/d: tags: expected strings, found number"),
                report(result));
  CHECK(says(load_text(board("uid: d", "{model: {title: T, x: 1e999}}")), "the number 1e999 is too large"));
}

TEST_CASE("exactly one of model, file and directory; folder and file must be there and inside") {
  struct Case {
    std::string metadata, spec;
    std::string_view expected;
  };
  for (const Case& each : {
           Case{"uid: d", "{folder: ops}", "model, file or directory is missing"},
           Case{"uid: d", "{model: {title: T}, file: x.json}", "says more than one of model, file and directory"},
           Case{"uid: d", "{model: [T]}", "model: expected a map, found a list"},
           Case{"uid: d", "{model: {title: T}, folder: opps}",
                "Dashboard o/d needs Folder o/opps, which no manifest declares (did you mean \"ops\"?)"},
           Case{"uid: d", "{model: {title: T}, folder: general}",
                "folder: general is Grafana's name for the root (leave folder out)"},
           Case{"uid: d", "{model: {title: T}, folder: \"\"}", "folder: must not be empty"},
           Case{"uid: d", "{file: missing.json}", "there is no file missing.json"},
           Case{"uid: d", "{file: ../out.json}",
                "m.yaml:10:14: error: Dashboard o/d: file: the path \"../out.json\" leaves the manifest tree"},
           Case{"uid: d", "{file: /etc/passwd}", "file: the path \"/etc/passwd\" is absolute"},
           Case{"uid: d", "{file: x.jsonnet}", "file: \"x.jsonnet\" is no .json file"},
           Case{"uid: d", "{directory: boards}", "a uid cannot be given to a whole directory"},
           Case{"", "{directory: boards}", "directory: no folder boards"},
           Case{"", "{directory: ../..}", "directory: the path \"../..\" leaves the manifest tree"},
           Case{"", "{directory: boards, folders: fromDirectories}",
                "folders is not supported yet by this version of graftd"},
           Case{"uid: d", "{modle: {title: T}}", "unknown field \"modle\" (did you mean \"model\"?)"},
       }) {
    CAPTURE(each.spec);
    const auto result = load_text(folder() + board(each.metadata, each.spec));
    CHECK(result.state == nullptr);
    CHECK_MESSAGE(says(result, each.expected), report(result));
  }
}

TEST_CASE("a directory gives a dashboard a file, with a uid from its path where it has none") {
  const auto result = load_files(MemoryFiles({{"t/m.yaml", folder() + board("", "{folder: ops, directory: boards}")},
                                              {"t/boards/one.json", R"({"title":"1","uid":"one"})"},
                                              {"t/boards/deep/Ä two.v1.json", R"({"title":"2"})"},
                                              {"t/boards/notes.txt", "no dashboard"},
                                              {"t/boardsy/x.json", "{}"}}));
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(result.state->resources.size() == 3);
  CHECK(canonical_of(result, "Dashboard o/one") == R"({"folder":"ops","spec":{"title":"1"}})");
  const std::string uid = kinds::derived_dashboard_uid("t/boards/deep/Ä two.v1.json");
  CHECK(uid.starts_with("two-v1-"));
  CHECK(uid.size() <= 40);
  CHECK(find(result, "Dashboard o/" + uid) != nullptr);
  CHECK_MESSAGE(says(result, "t/boards/deep/Ä two.v1.json: note: Dashboard: has no uid; \"" + uid +
                                 "\" is derived from its path"),
                report(result));
  CHECK(says(result, "t/boardsy/x.json:1:1: note: ignored"));
  CHECK_FALSE(says(result, "t/boards/one.json:1"));
}

TEST_CASE("a derived uid depends on the whole path and on nothing else") {
  CHECK(kinds::derived_dashboard_uid("a/x.json") == kinds::derived_dashboard_uid("a/x.json"));
  CHECK(kinds::derived_dashboard_uid("a/x.json") != kinds::derived_dashboard_uid("b/x.json"));
  CHECK(kinds::derived_dashboard_uid("日本.json").size() == 9);
  CHECK(kinds::derived_dashboard_uid(std::string(300, 'x') + ".json").size() == 40);
}

TEST_CASE("bad files of a directory are all reported, each by its own name") {
  const auto result = load_files(MemoryFiles({{"m.yaml", board("", "{directory: b}")},
                                              {"b/1.json", "{"},
                                              {"b/2.json", "{}"},
                                              {"b/3.json", R"({"title":"T"})"}}));
  CHECK(result.state == nullptr);
  CHECK(says(result, "b/1.json:1:2: error: Dashboard: not JSON"));
  CHECK(says(result, "b/2.json: error: Dashboard: the dashboard has no title"));
  const auto empty = load_files(MemoryFiles({{"m.yaml", board("", "{directory: b}")}, {"b/x.txt", ""}}));
  CHECK(says(empty, "warning: Dashboard: directory: no .json file in \"b\""));
}

TEST_CASE("two dashboards with one uid are an error that names both places") {
  const auto result = load_files(MemoryFiles({{"m.yaml", board("", "{directory: b}")},
                                              {"b/1.json", R"({"title":"T","uid":"x"})"},
                                              {"b/2.json", R"({"title":"U","uid":"x"})"}}));
  CHECK_MESSAGE(says(result, "b/2.json: error: Dashboard o/x is declared twice (also at b/1.json; keep one"),
                report(result));
}

TEST_CASE("a dashboard's file may have up to 16 MiB, and a canonical text of that size reads back") {
  const auto result = with_file(R"({"title":"T","x":")" + std::string(2'000'000, 'x') + R"("})");
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(spec_of(result).size() > 2'000'000);
}
