// The documents against lib/admin/openapi.json: no member is missing, none is there that is not described.
#include "status/documents.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "unit/status/picture.hpp"

using namespace graft;
using graft::test::Picture;
using nlohmann::json;
using std::chrono::seconds;

namespace {

constexpr WallTime t0{seconds(1'800'000'000)};

const json& description() {
  static const json document = json::parse(std::ifstream(GRAFTD_SOURCE_DIR "/lib/admin/openapi.json"));
  return document;
}

const json& resolved(const json& schema) {
  if (!schema.contains("$ref")) return schema;
  const std::string name = schema.at("$ref").get<std::string>();
  return description().at(json::json_pointer(name.substr(1)));
}

bool is(const json& value, const std::string& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
         (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null());
}

// As much of JSON Schema as the description uses. Returns what is wrong, "" when it agrees.
std::string disagreement(const json& value, const json& raw, const std::string& at) {
  const json& schema = resolved(raw);
  if (schema.contains("oneOf")) {
    for (const json& one : schema.at("oneOf"))
      if (disagreement(value, one, at).empty()) return {};
    return at + " is none of what is allowed";
  }
  const json& type = schema.at("type");
  const json types = type.is_array() ? type : json::array({type});
  if (std::ranges::none_of(types, [&](const json& one) { return is(value, one.get<std::string>()); }))
    return at + " is not of type " + types.dump();
  if (schema.contains("enum") && std::ranges::find(schema.at("enum"), value) == schema.at("enum").end())
    return at + " is " + value.dump();
  if (value.is_array())
    for (const json& one : value)
      if (std::string wrong = disagreement(one, schema.at("items"), at + "/"); !wrong.empty()) return wrong;
  if (!value.is_object() || !schema.contains("properties")) return {};
  for (const json& name : schema.at("required"))
    if (!value.contains(name.get<std::string>())) return at + " lacks " + name.dump();
  for (const auto& [name, member] : value.items()) {
    if (!schema.at("properties").contains(name)) return at + " has " + name + ", which is not described";
    if (std::string wrong = disagreement(member, schema.at("properties").at(name), at + "/" + name); !wrong.empty())
      return wrong;
  }
  return {};
}

std::string against(const std::string& document, const std::string& schema) {
  return disagreement(json::parse(document), description().at("components").at("schemas").at(schema), schema);
}

state::Change change() {
  state::Change made;
  made.id = 7;
  made.at = t0;
  made.kind = "Folder";
  made.action = "update";
  made.outcome = "done";
  made.cause = "drift";
  made.fields.push_back({"/title", "\"a\"", "\"b\""});
  return made;
}

status::Facts facts() {
  const Picture picture;
  auto report = picture.report();
  picture.failed(report, "b", "<b>no\xff</b>");  // whatever Grafana says, the document stays JSON
  status::Facts made;
  made.overview = status::make_overview(nullptr, report, t0);
  made.cycles.push_back({});
  made.cycles.back().result = status::CycleResult::error;
  made.progress = status::Progress{3, t0, reconcile::Stage::executing, 1, 2, 0.5};
  made.general.push_back({"grafana", {}, "down", {}, "wait", t0});
  made.slots = std::make_shared<const status::Slots>(status::Slots{{{OrgId(1), "sa-1-test", "one"}, {}}});
  return made;
}

}  // namespace

TEST_CASE("documents are as the API's description says") {
  const status::Facts now = facts();
  CHECK(against(status::status_document(now, t0), "Status") == "");
  CHECK(against(status::status_document({}, t0), "Status") == "");
  CHECK(against(status::resources_document(now.overview.get()), "Resources") == "");
  CHECK(against(status::resources_document(nullptr), "Resources") == "");
  CHECK(against(status::plan_document(now), "Plan") == "");
  CHECK(against(status::tokens_document(now.slots.get(), t0), "Tokens") == "");
  const std::vector<state::Change> changes{change()};
  CHECK(against(status::history_document(changes, true), "History") == "");
  CHECK(against(status::change_document(changes.front()), "Change") == "");
  CHECK(against(status::progress_document(*now.progress), "Progress") == "");
  CHECK(against(status::cycle_document(now.cycles.front()), "Cycle") == "");
}

TEST_CASE("status document: the worst first, and no more than a person reads") {
  status::Facts now = facts();
  const json document = json::parse(status::status_document(now, t0));
  REQUIRE(document.at("problems").size() == 2);
  CHECK(document.at("problems").at(0).at("about") == "grafana");
  CHECK(document.at("problems").at(1).at("resource") == "Folder org/b");
  CHECK(document.at("problems").at(1).at("at") == "org.yaml:3:1");
  CHECK(document.at("counts").at("failed") == 1);
  CHECK(document.at("organizations").at(0).at("counts").at("in_sync") == 2);

  now.general.assign(500, {"manifests", {}, "wrong", "a.yaml:1:1", {}, t0});
  const json many = json::parse(status::status_document(now, t0));
  CHECK(many.at("problems").size() == status::problems_shown);
  CHECK(many.at("problemsLeftOut") == 301);
}
