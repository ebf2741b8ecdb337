// load() with a kind made up for the test: what the manifest layer does by itself. The real kinds: tests/unit/kinds.
#include "manifest/loader.hpp"

#include <array>
#include <chrono>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>

#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"
#include "manifest/limits.hpp"
#include "unit/memory_files.hpp"

using namespace graft;
using namespace graft::manifest;
using graft::test::MemoryFiles;

namespace {

struct Thing {
  std::string colour, needs, reads;
  bool loud = false;
  std::chrono::seconds wait{};
};

const Table<Thing>& table() {
  static const Table<Thing> fields{
      {field("colour", &Thing::colour, word_form({"red", "green"}), required, "Its colour."),
       field("loud", &Thing::loud, boolean_form(), defaults_to("false"), "Whether it is loud."),
       field("wait", &Thing::wait, duration_form(), defaults_to("5m"), "How long."),
       field("needs", &Thing::needs, text_form(), optional, "Another thing."),
       field("reads", &Thing::reads, text_form(), optional, "A file.")},
      {{"later"}}};
  return fields;
}

class ThingDecoder final : public Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return KindName("Thing"); }
  [[nodiscard]] std::string_view identity() const override { return "name"; }
  [[nodiscard]] std::string_view nested_as() const override { return "things"; }
  [[nodiscard]] KindName nested_in() const override { return kind_organization; }
  [[nodiscard]] std::vector<FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }
  void decode(const Metadata& metadata, const Node& spec, Context& context) const override {
    const ResourceKey key{kind(), metadata.organization, metadata.name};
    Reporter reporter(context.diagnostics, key.to_string());
    const auto thing = table().read(spec, reporter, context.also_known);
    if (!thing) return;
    Desired desired;
    desired.key = key;
    desired.at = metadata.at;
    desired.canonical = fmt::format("{} {} {}", thing->colour, thing->loud, thing->wait.count());
    if (!thing->needs.empty()) desired.needs.push_back({kind(), metadata.organization, thing->needs});
    if (!thing->reads.empty()) {
      const auto text = context.files.read(thing->reads, 1000);
      desired.canonical = text ? *text : text.error().message;
    }
    context.out.push_back(desired);
  }
};

class OrganizationDouble final : public Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_organization; }
  [[nodiscard]] bool server_wide() const override { return true; }
  [[nodiscard]] std::string_view identity() const override { return "name"; }
  [[nodiscard]] std::string_view nested_as() const override { return ""; }
  [[nodiscard]] KindName nested_in() const override { return {}; }
  [[nodiscard]] std::vector<FieldDoc> fields() const override { return {}; }
  [[nodiscard]] std::string json_schema() const override { return "{}"; }
  void decode(const Metadata& metadata, const Node& spec, Context& context) const override {
    static const Table<Thing> nothing{{}};
    Reporter reporter(context.diagnostics, metadata.name);
    if (!nothing.read(spec, reporter, context.also_known)) return;
    Desired desired;
    desired.key = {kind(), metadata.name, metadata.name};
    desired.at = metadata.at;
    context.out.push_back(desired);
  }
};

LoadResult load_files(const Files& files) {
  static const ThingDecoder thing;
  static const OrganizationDouble organization;
  static const std::array<const Decoder*, 2> decoders{&organization, &thing};
  return load(files, decoders);
}

LoadResult load_text(std::string text) { return load_files(MemoryFiles::one(std::move(text))); }

std::string report(const LoadResult& result) {
  std::string out;
  for (const Diagnostic& each : result.diagnostics.items()) out += each.to_string() + "\n";
  return out;
}

std::string thing(std::string_view name, std::string_view spec = "colour: red") {
  return fmt::format("---\napiVersion: graftd/v1\nkind: Thing\nmetadata: {{name: {}, organization: o}}\nspec: {{{}}}\n",
                     name, spec);
}

}  // namespace

TEST_CASE("a document that stands alone and one that is nested mean the same") {
  const LoadResult nested = load_text(
      "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec:\n  things:\n    - name: t\n      colour: "
      "green\n"
      "      labels: {a: b}\n");
  const LoadResult alone = load_text(
      "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\n---\napiVersion: graftd/v1\nkind: Thing\n"
      "metadata: {name: t, organization: o, labels: {a: b}, annotations: {mine/x: y}}\nspec: {colour: green}\n");
  REQUIRE_MESSAGE(nested.state != nullptr, report(nested));
  REQUIRE_MESSAGE(alone.state != nullptr, report(alone));
  REQUIRE(nested.state->resources.size() == 2);
  REQUIRE(alone.state->resources.size() == 2);
  CHECK(nested.documents == 1);
  CHECK(alone.documents == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(nested.state->resources[i].key == alone.state->resources[i].key);
    CHECK(nested.state->resources[i].canonical == alone.state->resources[i].canonical);
  }
  CHECK(nested.state->resources[1].canonical == "green false 300");
  CHECK(nested.state->resources[1].at.to_string() == "m.yaml:6:7");
}

TEST_CASE("resources are sorted by key, whatever the order of files and documents") {
  const LoadResult result =
      load_files(MemoryFiles({{"b.yaml", thing("z") + thing("a")}, {"a.yml", thing("m")}, {"x/c.yaml", thing("b")}}));
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  std::string names;
  for (const Desired& each : result.state->resources) names += each.key.name;
  CHECK(names == "abmz");
  CHECK(result.files == 3);
  CHECK(result.state->revision == "memory");
}

TEST_CASE("what is wrong with a document is said with its place and what to write") {
  struct Case {
    std::string_view text, expected;
  };
  constexpr std::string_view head = "apiVersion: graftd/v1\nkind: Thing\n";
  for (const Case& each : {
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, loudd: true}\n",
                "m.yaml:4:21: error: Thing o/t: unknown field \"loudd\" (did you mean \"loud\"?)"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, zzzzzz: true}\n",
                "(known here: colour, loud"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, later: true}\n",
                "m.yaml:4:21: error: Thing o/t: later is not supported yet by this version of graftd"},
           Case{"metadata: {name: t, organization: o}\nspec: {}\n",
                "m.yaml:4:7: error: Thing o/t: the field \"colour\" is missing (colour: one of red, green)"},
           Case{"metadata: {name: t, organization: o}\n",
                "m.yaml:1:1: error: Thing o/t: the field \"colour\" is missing"},
           Case{"metadata: {name: t, organization: o}\nspec: [a]\n",
                "m.yaml:4:7: error: Thing o/t: spec: expected a map, found a list"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: redd}\n",
                "m.yaml:4:16: error: Thing o/t: colour: \"redd\" is none of red, green (did you mean \"red\"?)"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: 5}\n",
                "m.yaml:4:16: error: Thing o/t: colour: expected a string, found a number (5) (quote it: \"5\")"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, loud: \"true\"}\n",
                "m.yaml:4:27: error: Thing o/t: loud: expected true or false, found a string"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, wait: 90}\n",
                "m.yaml:4:27: error: Thing o/t: wait: expected a duration, found a number (90) (with a unit"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: red, wait: 1.5h}\n",
                "wait: \"1.5h\" is not a duration"},
           Case{"metadata: {name: t, organization: o}\nspec: {colour: }\n", "colour: expected a string, found nothing"},
           Case{"metadata: {name: t}\nspec: {colour: red}\n",
                "m.yaml:1:1: error: Thing /t: Thing does not say its organization (add metadata.organization"},
           Case{"metadata: {uid: t, organization: o}\nspec: {colour: red}\n",
                "m.yaml:3:17: error: Thing: Thing has no metadata.uid (use metadata.name)"},
           Case{"metadata: {name: t, organization: \"a\\nb\"}\nspec: {colour: red}\n",
                "metadata.organization: \"a b\" has a line break or another control character in it"},
           Case{"metadata: {name: t, organization: o, nam: x}\nspec: {colour: red}\n",
                "m.yaml:3:38: error: unknown field \"nam\" (did you mean \"name\"?)"},
           Case{"metadata: {name: t, organizations: [a, b]}\nspec: {colour: red}\n",
                "m.yaml:3:21: error: organizations is not supported yet by this version of graftd"},
           Case{"metadata: {name: t, organizationSelector: {}}\n", "organizationSelector is not supported yet"},
           Case{"substitute: true\nmetadata: {name: t, organization: o}\nspec: {colour: red}\n",
                "m.yaml:3:1: error: substitute is not supported yet"},
           Case{"metadata: {name: t, organization: o, annotations: {graftd/policy: sync}}\nspec: {colour: red}\n",
                "error: Thing o/t: the annotation \"graftd/policy\" is not supported yet"},
           Case{"metadata: {name: t, organization: o, annotations: {x: 1}}\nspec: {colour: red}\n",
                "m.yaml:3:55: error: annotations.x: expected a string, found a number (1)"},
           Case{"metadata: [a]\n", "m.yaml:3:11: error: spec: expected a map"},
           Case{"metdata: {}\nspec: {colour: red}\n",
                "m.yaml:3:1: error: unknown field \"metdata\" (did you mean \"metadata\"?)"},
       }) {
    CAPTURE(each.text);
    const LoadResult result = load_text(std::string(head) + std::string(each.text));
    CHECK(result.state == nullptr);
    const std::string said = report(result);
    CHECK_MESSAGE(said.find(each.expected) != std::string::npos, said);
  }
}

TEST_CASE("documents of others are ignored with a note; those that mean us and are wrong are errors") {
  struct Case {
    std::string_view text;
    bool sound;
    std::string_view expected;
  };
  for (const Case& each : {
           Case{"kind: Kustomization\nresources: []\n", true, "m.yaml:1:1: note: ignored: not a manifest of graftd"},
           Case{"apiVersion: v1\nkind: ConfigMap\n", true, "note: ignored"},
           Case{"- a\n- list\n", true, "note: ignored"},
           Case{"just text\n", true, "note: ignored"},
           Case{"apiVersion: 1\n", true, "note: ignored"},
           Case{
               "apiVersion: graftd/v2\nkind: Thing\n", false,
               "m.yaml:1:13: error: apiVersion \"graftd/v2\" is not known to this version of graftd (write graftd/v1)"},
           Case{"apiVersion: graftd\nkind: Thing\n", false, "is not known to this version"},
           Case{"apiVersion: Graftd/v1\nkind: Thing\n", false, "is not known to this version"},
           Case{"apiVersion: graftd/v1\nkind: Thimg\nmetadata: {}\n", false,
                "m.yaml:2:7: error: unknown kind \"Thimg\" (did you mean Thing?)"},
           Case{"apiVersion: graftd/v1\nkind: Zebra\n", false, "(known: Organization, Thing)"},
           Case{"apiVersion: graftd/v1\n", false, "the field \"kind\" is missing"},
           Case{"apiVersion: graftd/v1\nkind: [Thing]\n", false, "kind: expected a string, found a list"},
       }) {
    CAPTURE(each.text);
    const LoadResult result = load_text(std::string(each.text));
    CHECK((result.state != nullptr) == each.sound);
    CHECK_MESSAGE(report(result).find(each.expected) != std::string::npos, report(result));
  }
}

TEST_CASE("all problems of all files are reported at once, sorted by place") {
  const LoadResult result = load_files(MemoryFiles(
      {{"b.yaml", thing("t", "colour: blue, loud: 1")}, {"a.yaml", "a: [\n"}, {"c.yaml", thing("u") + thing("u")}}));
  const std::string said = report(result);
  CHECK(result.diagnostics.error_count() == 4);
  CHECK(said.find("a.yaml:") < said.find("b.yaml:"));
  CHECK(said.find("b.yaml:5:16") < said.find("b.yaml:5:28"));
  CHECK(said.find("b.yaml:") < said.find("c.yaml:"));
}

TEST_CASE("two manifests for one resource are an error that names both places") {
  const LoadResult result = load_files(MemoryFiles({{"a.yaml", thing("t")}, {"b.yaml", thing("t", "colour: green")}}));
  CHECK(result.state == nullptr);
  CHECK_MESSAGE(report(result).find("b.yaml:2:1: error: Thing o/t is declared twice (also at a.yaml:2:1; keep one") !=
                    std::string::npos,
                report(result));
}

TEST_CASE("a reference to what nobody declares is an error, but not to what was declared and refused") {
  const LoadResult missing = load_text(thing("alpha") + thing("t", "colour: red, needs: alpah"));
  CHECK_MESSAGE(report(missing).find("m.yaml:7:1: error: Thing o/t needs Thing o/alpah, which no manifest declares "
                                     "(did you mean \"alpha\"?)") != std::string::npos,
                report(missing));
  const LoadResult refused = load_text(thing("alpha", "colour: blue") + thing("t", "colour: red, needs: alpha"));
  CHECK(refused.diagnostics.error_count() == 1);
  const LoadResult unread =
      load_files(MemoryFiles({{"a.yaml", "a: [\n"}, {"b.yaml", thing("t", "colour: red, needs: x")}}));
  CHECK(unread.diagnostics.error_count() == 1);
}

TEST_CASE("an organization that no manifest declares is fine, and noted once") {
  const LoadResult result = load_text(thing("a") + thing("b"));
  REQUIRE(result.state != nullptr);
  CHECK(report(result) ==
        "m.yaml:2:1: note: no manifest declares the organization \"o\" (it must exist in Grafana; it is joined, not "
        "changed)\n");
}

TEST_CASE("a JSON file is a manifest, a file that a manifest names, or ignored") {
  const std::string manifest =
      R"({"apiVersion": "graftd/v1", "kind": "Thing", "metadata": {"name": "j", "organization": "o"},
 "spec": {"colour": "red", "reads": "data2.json"}})";
  const LoadResult result = load_files(MemoryFiles({{"a.yaml", thing("t", "colour: red, reads: data.json")},
                                                    {"data.json", "{broken, but not ours to judge"},
                                                    {"data2.json", "{}"},
                                                    {"m.json", manifest},
                                                    {"other.json", "{}"}}));
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(report(result).find("other.json:1:1: note: ignored") != std::string::npos);
  CHECK(report(result).find("data") == std::string::npos);
  CHECK(result.state->resources.size() == 2);
  const LoadResult broken = load_files(MemoryFiles::one("{\n\"a\": }", "other.json"));
  CHECK_MESSAGE(report(broken).find("other.json:2:6: error: not JSON") != std::string::npos, report(broken));
}

TEST_CASE("an empty directory is no error, but said") {
  const LoadResult result = load_files(MemoryFiles());
  REQUIRE(result.state != nullptr);
  CHECK(result.state->resources.empty());
  CHECK(result.documents == 0);
  CHECK(report(result).find("warning: no manifests found") != std::string::npos);
  CHECK(load_files(MemoryFiles::one("hello", "readme.md")).files == 0);
}

TEST_CASE("an entry that cannot be read is an error, since to pass over it would look like a wish to delete") {
  MemoryFiles files = MemoryFiles::one(thing("t"));
  files.unreadable_.push_back({"b.yaml", "is a FIFO, not a file"});
  const LoadResult result = load_files(files);
  CHECK(result.state == nullptr);
  CHECK(report(result).find("b.yaml: error: is a FIFO, not a file") != std::string::npos);
}

TEST_CASE("a manifest larger than its limit is refused") {
  const LoadResult result = load_files(MemoryFiles::one("a: " + std::string(limits::manifest_bytes, 'x'), "a.yaml"));
  CHECK(result.state == nullptr);
  CHECK(report(result).find("a.yaml: error: a.yaml is too large") != std::string::npos);
}

TEST_CASE("more documents than the limit are refused with one error") {
  std::map<std::string, std::string, std::less<>> files;
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += "---\na\n";
  for (int i = 0; i < 5; ++i) files.emplace(fmt::format("f{}.yaml", i), many);
  const LoadResult result = load_files(MemoryFiles(std::move(files)));
  CHECK(result.state == nullptr);
  CHECK(result.diagnostics.error_count() == 1);
}

TEST_CASE("nested children that are no list of maps are refused where they stand") {
  const std::string head = "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec:\n";
  CHECK(report(load_text(head + "  things: {name: t}\n"))
            .find("m.yaml:5:11: error: o: things: expected a list, found a map") != std::string::npos);
  CHECK(report(load_text(head + "  things: [t]\n"))
            .find("m.yaml:5:12: error: o: things: expected a map, found a string") != std::string::npos);
  CHECK(report(load_text(head + "  thigns: []\n"))
            .find("m.yaml:5:3: error: o: unknown field \"thigns\" (did you mean \"things\"?)") != std::string::npos);
  CHECK(report(load_text(head + "  things: [{nmae: t, colour: red}]\n")).find("did you mean \"name\"?") !=
        std::string::npos);
  CHECK(load_text(head + "  things:\n").state != nullptr);
}
