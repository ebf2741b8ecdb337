// The JSON Schemas agree with graftd: what `graftd check` takes is valid, and what is invalid it refuses. Where graftd
// sees more than a schema can, the reasons are listed here, each with the cases that need it.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <span>

#include "daemon/config.hpp"
#include "kinds/decoders.hpp"
#include "manifest/node_json.hpp"
#include "manifest/reader.hpp"
#include "schema/judge.hpp"
#include "schema/mutations.hpp"
#include "support/temporary_directory.hpp"
#include "unit/memory_files.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;
const fs::path root = GRAFTD_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What a schema cannot see, by the words that graftd has for it.
struct Reason {
  const char *what, *message;
};

constexpr Reason of_manifests[] = {
    {"another document has to be there", "which no manifest declares"},
    {"one resource twice", "is declared twice"},
    {"two keys for one place", "delivers to the same place|is named twice|cannot lie below"},
    {"two of one login", "would have one login in Grafana|are one user"},
    {"folders in folders", "lies in itself|levels deep"},
    {"names that are reserved", "reserved by Grafana|general is Grafana's name"},
    {"times that do not fit together", "(ttl|rotateBefore|grace): "},
    {"the mode of a file", "mode: "},
    {"a token without a place, or of another account", "deliverTo: is empty|serviceAccount"},
    {"places that a sink does not take", "ServiceAccountToken .*(path|mount|field|namespace|name|key|owner): "},
    {"files of dashboards", "Dashboard.*: ((file|directory): |there is no file|a uid cannot be given)"},
    {"what a dashboard says", "Dashboard o/d: (a |an |apiVersion |the |title: |tags: |uid: |inputs: no |__inputs )"},
    {"a dashboard's uid", "Dashboard.*(has no uid|uid: )"},
    {"names and titles", "(metadata.name|name|uid|login|email|title): "},
};

constexpr Reason of_configurations[] = {
    {"what is not in the file is needed", "is required|no credentials"},
    {"settings that exclude or need one another", " (without|has both|are in a directory) "},
    {"a repository as its protocol wants it", "manifests\\.git"},
    {"a login with a colon", "must not hold a colon"},
    {"durations out of their range", "must be from "},
    {"true and false in capital letters", "must be true or false"},
    {"numbers that are whole, but are not written so", "must be a whole number"},
    {"the environment", "environment variable|no closing brace"},
    {"a second document", "a configuration is one document"},
    {"one key twice", "is given twice"},
};

class Comparison {
 public:
  explicit Comparison(std::span<const Reason> reasons) : reasons_(reasons), seen_(reasons.size()) {
    for (const Reason& reason : reasons) messages_.emplace_back(reason.message);
  }

  void compare(const Case& each, const Judgement& judgement) {
    CAPTURE(each.name);
    std::string all;
    for (const std::string& error : each.errors) all += error + "\n";
    for (const auto& [path, text] : each.files) all += fmt::format("{}:\n{}\n", path, text);
    if (each.errors.empty()) CHECK_MESSAGE(judgement.valid, judgement.why, "\n", all);
    if (!each.errors.empty() && judgement.valid) explain(each, all);
    if (!each.errors.empty() && !judgement.valid) {
      ++both_;
      refused_by_.insert(judgement.keywords.begin(), judgement.keywords.end());
    }
    good_ += each.errors.empty() ? 1 : 0;
  }

  // Every reason is needed, and every keyword of the schema has refused something.
  void finish(const std::set<std::string>& keywords) const {
    std::string counts = fmt::format("{} taken by both, {} refused by both", good_, both_);
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      counts += fmt::format("\n{:>5} {}", seen_[i], reasons_[i].what);
      CHECK_MESSAGE(seen_[i] > 0, "nothing needs the reason: ", reasons_[i].what);
    }
    for (const std::string& keyword : keywords)
      CHECK_MESSAGE(refused_by_.contains(keyword), "nothing was refused by ", keyword);
    MESSAGE(counts);
    CHECK(good_ > 20);
    CHECK(both_ > 20);
  }

 private:
  void explain(const Case& each, const std::string& all) {
    for (const std::string& error : each.errors) {
      bool known = false;
      for (std::size_t i = 0; i < reasons_.size(); ++i) {
        if (!std::regex_search(error, messages_[i])) continue;
        known = true;
        ++seen_[i];
        break;
      }
      CHECK_MESSAGE(known, "the schema does not see it, and no reason is listed: ", error, "\n", all);
    }
  }

  std::span<const Reason> reasons_;
  std::vector<std::regex> messages_;
  std::vector<std::size_t> seen_;
  std::size_t good_ = 0, both_ = 0;
  std::set<std::string> refused_by_;
};

std::vector<std::string> errors_of(const Diagnostics& diagnostics) {
  std::vector<std::string> errors;
  for (const Diagnostic& each : diagnostics.items())
    if (each.severity == Severity::error) errors.push_back(each.to_string());
  return errors;
}

Case manifest_case(std::string name, const std::map<std::string, std::string>& files) {
  const MemoryFiles memory({files.begin(), files.end()});
  return {std::move(name), files, errors_of(manifest::load(memory, kinds::all_decoders()).diagnostics)};
}

// The documents of every_field.yaml as JSON files, with the dashboards that they name.
std::map<std::string, std::string> every_field() {
  std::map<std::string, std::string> files;
  Diagnostics diagnostics;
  manifest::read_yaml(
      text_of(root / "tests/schema/every_field.yaml"), std::make_shared<const std::string>("every"), diagnostics,
      [&](manifest::Node&& node) { files[fmt::format("{:02}.json", files.size())] = manifest::to_json(node)->dump(); });
  for (const char* board : {"d", "more/d", "i", "other/d"})
    files[fmt::format("boards/{}.json", board)] = fmt::format(R"({{"title":"{}"}})", board);
  return files;
}

const manifest::Decoder& decoder_of(const std::string& kind) {
  for (const manifest::Decoder* decoder : kinds::all_decoders())
    if (decoder->kind().text() == kind) return *decoder;
  FAIL("no kind ", kind);
  return *kinds::all_decoders().front();
}

struct Changed {
  std::string kind;
  Case change;
};

// Each changed document among the sound others; the schema is shown the changed one alone.
std::vector<Changed> changed_documents() {
  std::vector<Changed> out;
  const auto sound = every_field();
  for (const auto& [path, text] : sound) {
    if (path.starts_with("boards/")) continue;
    const json document = json::parse(text);
    const std::string kind = document.at("kind").get<std::string>();
    for (const Mutation& mutation : mutations_of(document, json::parse(kinds::document_schema(decoder_of(kind))))) {
      auto files = sound;
      files[path] = mutation.document;
      Case one = manifest_case(path + mutation.name, files);
      one.files = {{path, mutation.document}};
      out.push_back({kind, std::move(one)});
    }
  }
  return out;
}

// What the recorded ones do not have.
std::vector<Case> more_manifests() {
  const std::string organization = "apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\n";
  std::vector<Case> cases;
  for (const std::string& text :
       {std::string("apiVersion: graftd/v2\nkind: Organization\nmetadata: {name: o}\n"),
        std::string("apiVersion: v1\nkind: Secret\n---\n") + organization, organization + "spec:\n",
        organization + "spec: {folders: , members: , serviceAccounts: null, dashboards: ~}\n",
        std::string("apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o, labels: , annotations: }\n"),
        organization + "spec: {dashboards: [{uid: d, model: {title: T}, inputs: }]}\n",
        organization + "spec: {folders: [&f {uid: a, title: on}, *f]}\n",
        organization + "spec: {folders: [{uid: a, title: 2026-11-24}, {uid: b, title: yes}, {uid: c, title: 0640}]}\n",
        organization + "spec: {folders: [{uid: a, title: 640}]}\n", organization + "spec: []\n",
        organization + "spec: {folders: {uid: a, title: A}}\n", organization + "spec: {folders: [~]}\n"})
    cases.push_back(manifest_case(text, {{"m.yaml", text}}));
  return cases;
}

std::vector<Case> shipped_manifests() {
  std::vector<Case> cases;
  for (const char* folder : {"config/examples", "deploy/grafana"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.path().extension() == ".yaml") {
        std::map<std::string, std::string> files;
        for (const auto& beside : fs::directory_iterator(entry.path().parent_path()))
          if (beside.is_regular_file()) files[beside.path().filename().string()] = text_of(beside.path());
        cases.push_back(manifest_case(entry.path().string(), files));
        CHECK_MESSAGE(cases.back().errors.empty(), entry.path().string());
      }
  return cases;
}

// A setting alone, as YAML: "{grafana: {url: VALUE}}".
std::string yaml_of(std::string_view key, const std::string& value) {
  std::string out = value, rest(key);
  for (std::size_t dot = rest.rfind('.'); dot != rest.npos; dot = rest.rfind('.')) {
    out = fmt::format("{{{}: {}}}", rest.substr(dot + 1), out);
    rest.resize(dot);
  }
  return fmt::format("{}: {}\n", rest, out);
}

Case configuration_case(const std::string& text) {
  const TemporaryDirectory directory;
  directory.write("graftd.yaml", text);
  daemon::ConfigSource source;
  source.file = directory / "graftd.yaml";
  return {text, {{"graftd.yaml", text}}, errors_of(load_config(source, daemon::Need::everything).diagnostics)};
}

// As load_config() does it with this file, but for settings that go together.
Case setting_case(const daemon::Setting& setting, const std::string& value) {
  Case out{fmt::format("{}: {}", setting.key, value), {{"graftd.yaml", yaml_of(setting.key, value)}}, {}};
  Diagnostics diagnostics;
  const auto values = daemon::read_config_text(out.files.begin()->second, "graftd.yaml", diagnostics);
  out.errors = errors_of(diagnostics);
  const auto found = values.find(std::string(setting.key));
  if (found == values.end() || found->second.text.find("${NAME}") != std::string::npos) return out;
  daemon::Settings settings;
  if (const Status stored = setting.store(settings, found->second.text); !stored)
    out.errors.push_back(stored.error().message);
  return out;
}

}  // namespace

TEST_CASE("manifests: recorded, shipped and changed ones are judged alike by schema and graftd") {
  std::vector<Case> cases = recorded_by("test_unit_kinds", "*");
  REQUIRE(cases.size() > 100);
  cases.push_back(manifest_case("every field", every_field()));
  REQUIRE_MESSAGE(cases.back().errors.empty(), cases.back().errors.front());
  for (Case& each : shipped_manifests()) cases.push_back(std::move(each));
  for (Case& each : more_manifests()) cases.push_back(std::move(each));
  for (Changed& each : changed_documents()) cases.push_back(std::move(each.change));
  const Judgements judgements = judge("manifest.schema.json", true, cases);
  Comparison comparison(of_manifests);
  for (std::size_t i = 0; i < cases.size(); ++i) comparison.compare(cases[i], judgements.each[i]);
  comparison.finish(judgements.keywords);
}

TEST_CASE("each change that breaks one rule is refused by the schema of its kind, and by graftd") {
  std::map<std::string, std::vector<Case>> by_kind;
  for (Changed& each : changed_documents()) by_kind[each.kind].push_back(std::move(each.change));
  CHECK(by_kind.size() == kinds::all_decoders().size());
  for (const auto& [kind, cases] : by_kind) {
    const Judgements judgements = judge(kind + ".schema.json", true, cases);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      CAPTURE(cases[i].name);
      if (judgements.each[i].documents == 0) continue;  // without our apiVersion it is somebody else's document
      CHECK_FALSE(judgements.each[i].valid);
      CHECK_FALSE(cases[i].errors.empty());
    }
  }
}

TEST_CASE("every_field.yaml has every field of every kind") {
  std::map<std::string, std::string> by_kind;
  for (const auto& [path, text] : every_field())
    if (!path.starts_with("boards/")) by_kind[json::parse(text).at("kind").get<std::string>()] += text;
  for (const manifest::Decoder* decoder : kinds::all_decoders())
    for (const manifest::FieldDoc& field : decoder->fields()) {
      CAPTURE(field.name);
      const std::string last = field.name.substr(field.name.rfind('.') + 1);
      CHECK(by_kind[std::string(decoder->kind().text())].find("\"" + last + "\":") != std::string::npos);
    }
}

TEST_CASE("configurations: recorded and shipped ones, and every setting with all sorts of values") {
  std::vector<Case> cases = recorded_by("test_unit_daemon", "*config_test.cpp");
  REQUIRE(cases.size() > 20);
  cases.push_back({"config/graftd.yaml", {{"graftd.yaml", text_of(root / "config/graftd.yaml")}}, {}});
  for (const char* manifests : {"{directory: /m, git: {url: 'https://h/r'}}", "{git: {url: 'ssh://git@h/r'}}"})
    cases.push_back(
        configuration_case(fmt::format("owner: o\ngrafana: {{auth: {{tokenFile: /t}}}}\nmanifests: {}\n", manifests)));
  for (const daemon::Setting& setting : daemon::setting_table()) {
    if (setting.key == "config") continue;
    for (const char* value : {"true",
                              "false",
                              "TRUE",
                              "'true'",
                              "5",
                              "0",
                              "-1",
                              "1000001",
                              "'5'",
                              "'007'",
                              "1.5",
                              "1e3",
                              "x",
                              "60s",
                              "0s",
                              "1h30m",
                              "30m1h",
                              "1 minute",
                              "99w",
                              "''",
                              "' '",
                              "'a\tb'",
                              "\"a\\tb\"",
                              "'${NAME}'",
                              "'a/${NAME}/b'",
                              "'${'",
                              "null",
                              "[]",
                              "{}",
                              "[a]",
                              "info",
                              "debug",
                              "json",
                              "logfmt",
                              "drift",
                              "'drift,failure'",
                              "'drift, failure'",
                              "'drift,'",
                              "none"})
      cases.push_back(setting_case(setting, value));
  }
  const Judgements judgements = judge("graftd.schema.json", false, cases);
  Comparison comparison(of_configurations);
  for (std::size_t i = 0; i < cases.size(); ++i) comparison.compare(cases[i], judgements.each[i]);
  comparison.finish(judgements.keywords);
}

TEST_CASE("every default is valid where the schema says it, and every setting is in the schema") {
  const json schema = json::parse(text_of(root / "config/schema/graftd.schema.json"));
  std::vector<Case> cases;
  for (const daemon::Setting& setting : daemon::setting_table()) {
    if (setting.key == "config") continue;
    std::string pointer(setting.key);
    for (std::size_t dot = pointer.find('.'); dot != pointer.npos; dot = pointer.find('.', dot))
      pointer.replace(dot, 1, "/properties/");
    const json::json_pointer at("/properties/" + pointer);
    REQUIRE(schema.contains(at));
    CHECK_FALSE(schema[at].at("description").get<std::string>().empty());
    if (schema[at].contains("default"))
      cases.push_back({std::string(setting.key), {{"d.yaml", yaml_of(setting.key, schema[at]["default"].dump())}}, {}});
  }
  const Judgements judgements = judge("graftd.schema.json", false, cases);
  for (std::size_t i = 0; i < cases.size(); ++i) CHECK_MESSAGE(judgements.each[i].valid, cases[i].name);
}

TEST_CASE("every example names the schema for editors, and lies beside it") {
  int examples = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root / "config/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    CAPTURE(entry.path().string());
    ++examples;
    const std::string text = text_of(entry.path()), mark = "# yaml-language-server: $schema=";
    REQUIRE(text.starts_with(mark));
    const std::string named = text.substr(mark.size(), text.find('\n') - mark.size());
    CHECK(fs::equivalent(entry.path().parent_path() / named, root / "config/schema/manifest.schema.json"));
  }
  CHECK(examples > 0);
}
