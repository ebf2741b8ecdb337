// What the spec halves of the kinds share: building a Desired, and reading canonical text back for the live halves.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "manifest/cursor.hpp"
#include "manifest/decoder.hpp"
#include "model/resource.hpp"

namespace graft::kinds {

// A role in an organization, by Grafana's names.
[[nodiscard]] manifest::Form<std::string> role_form();

[[nodiscard]] Desired make_desired(ResourceKey key, std::string canonical, const Position& at);

// Reporter whose messages open with the name of the resource.
[[nodiscard]] manifest::Reporter reporter_for(const ResourceKey& key, Diagnostics& diagnostics);

// "also at a.yaml:3:5", or "" when the place is not known.
[[nodiscard]] std::string also_at(const Desired& other);

// A canonical document that we wrote ourselves; ErrorCode::internal when it is not what it must be.
[[nodiscard]] Result<nlohmann::json> read_canonical(std::string_view canonical, std::string_view kind);
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);  // "" when absent
[[nodiscard]] bool flag_at(const nlohmann::json& object, const char* key);         // false when absent

// All resources of one kind.
[[nodiscard]] std::vector<const Desired*> of_kind(std::span<const Desired> all, KindName kind);

}  // namespace graft::kinds
