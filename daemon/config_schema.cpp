#include "daemon/config_schema.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "daemon/settings.hpp"

namespace graft::daemon {

namespace {

using Json = nlohmann::ordered_json;

// `${NAME}` in a value stands for what the environment says, which nobody knows here.
constexpr std::string_view variable_pattern = R"(\$\{[^}]+\})";
// Not blank, and without control characters.
constexpr std::string_view text_pattern = R"(^[^\u0000-\u001f\u007f]*[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$)";
constexpr std::string_view duration_pattern = "^(?=[0-9])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";
constexpr std::string_view number_pattern = "^0*[1-9][0-9]{0,6}$";

Json or_variable(Json value) {
  return Json{{"anyOf", Json::array({std::move(value), Json{{"$ref", "#/$defs/variable"}}})}};
}

// A value may be written with or without quotes: a setting is a text to graftd, whatever YAML makes of it.
Json definitions() {
  const Json number{{"type", "integer"}, {"minimum", 1}, {"maximum", largest_number}};
  const Json number_text{{"type", "string"}, {"pattern", number_pattern}};
  const Json truth{{"enum", Json::array({true, false, "true", "false"})}};
  Json out;
  out["variable"] = Json{{"type", "string"}, {"pattern", variable_pattern}};
  out["text"] = Json{{"type", Json::array({"string", "number", "boolean"})}, {"pattern", text_pattern}};
  out["duration"] = or_variable(Json{{"type", "string"}, {"pattern", duration_pattern}});
  out["number"] = Json{{"anyOf", Json::array({number, number_text, Json{{"$ref", "#/$defs/variable"}}})}};
  out["boolean"] = or_variable(truth);
  return out;
}

// "debug|info": of a pattern.
std::string alternatives(const Form& form) { return fmt::format("{}", fmt::join(form.words, "|")); }

Json of_form(const Form& form) {
  switch (form.type) {
    case Form::Type::duration:
      return Json{{"$ref", "#/$defs/duration"}};
    case Form::Type::number:
      return Json{{"$ref", "#/$defs/number"}};
    case Form::Type::boolean:
      return Json{{"$ref", "#/$defs/boolean"}};
    case Form::Type::word:
      return or_variable(Json{{"enum", form.words}});
    case Form::Type::words:
      return or_variable(
          Json{{"type", "string"}, {"pattern", fmt::format(R"(^\s*({0})\s*(,\s*({0})\s*)*$)", alternatives(form))}});
    case Form::Type::text:
    case Form::Type::file:
    case Form::Type::directory:
      break;
  }
  return Json{{"$ref", "#/$defs/text"}};
}

Json default_of(const Setting& setting) {
  const std::string text(setting.default_value);
  const bool plain = setting.form.type == Form::Type::number || setting.form.type == Form::Type::boolean;
  return plain ? Json::parse(text) : Json(text);
}

Json of_setting(const Setting& setting) {
  Json out = of_form(setting.form);
  std::string text(setting.description);
  out["description"] = fmt::format("{} ({}{})", text, setting.form.name, setting.required ? "; required" : "");
  if (!setting.default_value.empty()) out["default"] = default_of(setting);
  return out;
}

Json group() { return Json{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}}; }

// A dot in a key is a level.
void put(Json& root, std::string_view key, Json value) {
  Json* at = &root;
  for (std::size_t dot = key.find('.'); dot != key.npos; dot = key.find('.')) {
    Json& properties = (*at)["properties"];
    const std::string name(key.substr(0, dot));
    if (!properties.contains(name)) properties[name] = group();
    at = &properties[name];
    key.remove_prefix(dot + 1);
  }
  (*at)["properties"][std::string(key)] = std::move(value);
}

}  // namespace

std::string configuration_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Configuration of graftd"}};
  schema.update(group());
  for (const Setting& setting : setting_table())
    if (setting.key != "config") put(schema, setting.key, of_setting(setting));
  schema["$defs"] = definitions();
  return schema.dump(2) + "\n";
}

}  // namespace graft::daemon
