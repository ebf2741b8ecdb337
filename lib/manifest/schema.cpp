#include "manifest/schema.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "manifest/cursor.hpp"
#include "manifest/envelope.hpp"

namespace graft::manifest {

namespace {

using Json = nlohmann::ordered_json;  // keeps the order of the tables

constexpr std::string_view dialect = "https://json-schema.org/draft/2020-12/schema";

std::vector<const Decoder*> children_of(const Decoder& parent, Decoders all) {
  std::vector<const Decoder*> children;
  for (const Decoder* other : all) {
    if (!other->nested_as().empty() && other->nested_in() == parent.kind()) children.push_back(other);
  }
  return children;
}

Json nested_item(const Decoder& decoder, Decoders all);

// A kind's spec with the lists of children that its document may nest.
Json spec_schema(const Decoder& decoder, Decoders all) {
  Json schema = Json::parse(decoder.json_schema());
  for (const Decoder* child : children_of(decoder, all)) {
    Json list{{"type", {"array", "null"}}, {"items", nested_item(*child, all)}};
    schema["properties"][std::string(child->nested_as())] = std::move(list);
  }
  return schema;
}

// A child written inside its parent: its spec with name or uid, labels and annotations beside the fields.
Json nested_item(const Decoder& decoder, Decoders all) {
  Json schema = spec_schema(decoder, all);
  const Json metadata = Json::parse(metadata_table().schema());
  Json beside = Json::object();
  if (!decoder.identity().empty()) {
    const std::string identity(decoder.identity());
    beside[identity] = metadata["properties"][identity];
    if (decoder.kind() != kind_dashboard) schema["required"].push_back(identity);
  }
  for (const char* key : {"labels", "annotations"}) beside[key] = metadata["properties"][key];
  beside.update(schema["properties"]);
  schema["properties"] = std::move(beside);
  return schema;
}

Json metadata_schema(const Decoder& decoder) {
  Json schema = Json::parse(metadata_table().schema());
  for (const char* key : {"name", "uid"}) {
    if (decoder.identity() != key) schema["properties"].erase(key);
  }
  if (decoder.server_wide()) schema["properties"].erase("organization");
  Json needed = Json::array();
  if (!decoder.identity().empty() && decoder.kind() != kind_dashboard)
    needed.push_back(std::string(decoder.identity()));
  if (!decoder.server_wide()) needed.push_back("organization");
  schema["required"] = std::move(needed);
  return schema;
}

std::string cell(std::string_view text) {  // of a Markdown table
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string table_of(const std::vector<FieldDoc>& fields) {
  std::string out = "| field | value | default | |\n|---|---|---|---|\n";
  for (const FieldDoc& field : fields) {
    const bool word = field.required_or_default == "required" || field.required_or_default == "optional";
    const std::string presence = word ? std::string(field.required_or_default == "required" ? "required" : "")
                                      : fmt::format("`{}`", field.required_or_default);
    out += fmt::format("| `{}` | {} | {} | {} |\n", field.name, cell(field.type), presence, cell(field.description));
  }
  return out;
}

std::string heading(const Decoder& decoder) {
  std::string out = fmt::format("\n### {}\n\n", decoder.kind().text());
  const std::string where = decoder.server_wide() ? "Lives in no organization." : "Lives in `metadata.organization`.";
  const std::string known = decoder.identity().empty() ? std::string("Known by its spec.")
                                                       : fmt::format("Known by `metadata.{}`.", decoder.identity());
  out += known + " " + where;
  if (!decoder.nested_as().empty()) {
    out += fmt::format(" Nested: an entry of `{}` in its {}.", decoder.nested_as(), decoder.nested_in().text());
  }
  return out + "\n\n";
}

// Of a whole document of one kind.
Json kind_schema(const Decoder& decoder, Decoders all) {
  Json schema{{"title", fmt::format("{} of graftd", decoder.kind().text())},
              {"type", "object"},
              {"additionalProperties", false}};
  Json spec = spec_schema(decoder, all);
  Json needed{"apiVersion", "kind", "metadata"};
  if (spec.contains("required") || spec.contains("oneOf")) {
    needed.push_back("spec");
  } else {
    spec["type"] = {"object", "null"};  // "spec:" with nothing below it
  }
  schema["required"] = std::move(needed);
  schema["properties"] = Json{{"apiVersion", Json{{"const", api_version}}},
                              {"kind", Json{{"const", decoder.kind().text()}}},
                              {"metadata", metadata_schema(decoder)},
                              {"spec", std::move(spec)}};
  return schema;
}

}  // namespace

std::string document_schema(const Decoder& decoder, Decoders all) {
  Json schema{{"$schema", dialect}};
  schema.update(kind_schema(decoder, all));
  return schema.dump(2) + "\n";
}

// `if` rather than `oneOf`: an editor then tells what is wrong with the document of that kind, and completes its
// fields.
std::string document_schema(Decoders all) {
  Json kinds = Json::array(), choices = Json::array(), definitions = Json::object();
  for (const Decoder* decoder : all) {
    const std::string kind(decoder->kind().text());
    kinds.push_back(kind);
    choices.push_back(Json{{"if", Json{{"properties", Json{{"kind", Json{{"const", kind}}}}}, {"required", {"kind"}}}},
                           {"then", Json{{"$ref", "#/$defs/" + kind}}}});
    definitions[kind] = kind_schema(*decoder, all);
  }
  const Json properties{{"apiVersion", Json{{"const", api_version}}},
                        {"kind", Json{{"enum", std::move(kinds)}, {"description", "What the document declares."}}},
                        {"metadata", Json{{"description", "What it is called and where it lives."}}},
                        {"spec", Json{{"description", "How it should be: the fields of its kind."}}}};
  const Json schema{{"$schema", dialect},
                    {"title", "Manifest of graftd"},
                    {"type", "object"},
                    {"required", {"apiVersion", "kind"}},
                    {"properties", properties},
                    {"allOf", std::move(choices)},
                    {"$defs", std::move(definitions)}};
  return schema.dump(2) + "\n";
}

std::string reference(Decoders all) {
  std::string out = fmt::format("Every document has `apiVersion: {}`, `kind`, `metadata` and `spec`.\n\n", api_version);
  out += "### metadata\n\n" + table_of(metadata_table().docs());
  for (const Decoder* decoder : all) {
    out += heading(*decoder);
    const std::vector<FieldDoc> fields = decoder->fields();
    if (!fields.empty()) out += table_of(fields);
    const auto children = children_of(*decoder, all);
    if (!children.empty() && !fields.empty()) out += "\n";
    for (const Decoder* child : children) {
      out += fmt::format("- `{}`: a list of {}, written inside\n", child->nested_as(), child->kind().text());
    }
  }
  return out;
}

}  // namespace graft::manifest
