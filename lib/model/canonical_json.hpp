// Canonical JSON: one text for all documents that Grafana stores as the same thing.
//
// Keys sorted by bytes, no white space, every number as the shortest text of its float64 (Grafana 12.4 passes numbers
// through float64 [run]: 1.0 is 1, 2^53+1 is 2^53), -0 as 0, strings as UTF-8 with only what JSON requires escaped.
// Arrays keep their order. Duplicate keys in a text are refused where a document is read (parse_json).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft {

// Limits for any JSON that comes from outside: depth 64 for manifests' JSON and for answers (reliability T13, T34).
inline constexpr std::size_t json_depth_limit = 64;

// Parses strictly: no comments, one value, sound UTF-8, depth limit, no duplicate keys. The error (ErrorCode::invalid)
// names line and column in `where` (without a file).
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text, std::size_t depth_limit = json_depth_limit);

[[nodiscard]] std::string canonical_text(const nlohmann::json& document);

}  // namespace graft
