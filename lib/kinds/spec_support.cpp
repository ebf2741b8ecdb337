#include "kinds/spec_support.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "manifest/forms.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

manifest::Form<std::string> role_form() { return manifest::word_form({"None", "Viewer", "Editor", "Admin"}); }

Desired make_desired(ResourceKey key, std::string canonical, const Position& at) {
  Desired desired;
  desired.key = std::move(key);
  desired.digest = Digest::of(canonical);
  desired.canonical = std::move(canonical);
  desired.at = at;
  return desired;
}

manifest::Reporter reporter_for(const ResourceKey& key, Diagnostics& diagnostics) {
  return {diagnostics, key.name.empty() ? std::string(key.kind.text()) : printable(key.to_string())};
}

std::string also_at(const Desired& other) {
  return other.at.known() ? fmt::format("also at {}", other.at.to_string()) : std::string();
}

Result<nlohmann::json> read_canonical(std::string_view canonical, std::string_view kind) {
  Result<nlohmann::json> document = parse_json(canonical);
  if (document && document->is_object()) return document;
  return fail(ErrorCode::internal, fmt::format("the canonical text of a {} is not a JSON object", kind));
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::vector<const Desired*> of_kind(std::span<const Desired> all, KindName kind) {
  std::vector<const Desired*> out;
  for (const Desired& desired : all) {
    if (desired.key.kind == kind) out.push_back(&desired);
  }
  return out;
}

}  // namespace graft::kinds
