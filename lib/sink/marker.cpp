#include "sink/marker.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace graft::sink {

namespace {

using nlohmann::json;

constexpr int version = 1;

std::optional<std::string> text_at(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::int64_t> number_at(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<MarkerEntry> read_entry(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto fingerprint = text_at(object, "fingerprint");
  const auto generation = number_at(object, "generation");
  const auto token = number_at(object, "tokenId");
  const auto delivered = text_at(object, "deliveredAt");
  const auto time = delivered ? parse_rfc3339(*delivered) : std::nullopt;
  if (!fingerprint || !generation || !token || !time) return std::nullopt;
  if (*generation < 0 || *generation > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return MarkerEntry{*fingerprint, static_cast<std::uint32_t>(*generation), TokenId(*token), *time};
}

json write_entry(const MarkerEntry& entry) {
  return json{{"fingerprint", entry.fingerprint},
              {"generation", entry.generation},
              {"tokenId", entry.token_id.value()},
              {"deliveredAt", format_rfc3339(entry.delivered_at)}};
}

}  // namespace

std::string marker_line(const Marker& marker) {
  json entries = json::array();
  for (const MarkerEntry& entry : marker.entries) {
    if (entries.size() < marker_entries) entries.push_back(write_entry(entry));
  }
  const json out{{"version", version},
                 {"owner", marker.owner},
                 {"slot", marker.slot},
                 {"salt", marker.salt},
                 {"entries", std::move(entries)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string write_marker(const Marker& marker) { return marker_line(marker) + "\n"; }

std::optional<Marker> read_marker(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || number_at(document, "version") != version) return std::nullopt;
  const auto owner = text_at(document, "owner");
  const auto slot = text_at(document, "slot");
  const auto salt = text_at(document, "salt");
  const auto entries = document.find("entries");
  if (!owner || !slot || !salt || entries == document.end() || !entries->is_array()) return std::nullopt;
  Marker marker{*owner, *slot, *salt, {}};
  for (const json& object : *entries) {
    const auto entry = read_entry(object);
    if (!entry) return std::nullopt;
    if (marker.entries.size() < marker_entries) marker.entries.push_back(*entry);
  }
  return marker;
}

}  // namespace graft::sink
