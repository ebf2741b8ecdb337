#include "state/slot_details.hpp"

#include <nlohmann/json.hpp>

#include "model/json_fields.hpp"

namespace graft::state {

namespace {

using nlohmann::json;

json delivered_json(const DeliveredKey& key) {
  return {{"generation", key.generation},
          {"tokenId", key.token_id.value()},
          {"fingerprint", key.fingerprint},
          {"ttl", key.ttl ? json(key.ttl->count()) : json()},
          {"deliveredAt", seconds_json(key.delivered_at)},
          {"verifiedAt", seconds_json(key.verified_at)},
          {"expiresAt", seconds_json(key.expires_at)},
          {"rotatesAt", seconds_json(key.rotates_at)}};
}

std::optional<DeliveredKey> delivered_from(const json& object) {
  const auto generation = number_at(object, "generation");
  const auto token = number_at(object, "tokenId");
  const auto delivered_at = seconds_at(object, "deliveredAt");
  if (!generation || *generation < 0 || !token || !delivered_at) return std::nullopt;
  DeliveredKey key;
  key.generation = static_cast<std::uint32_t>(*generation);
  key.token_id = TokenId(*token);
  key.fingerprint = text_of(object, "fingerprint");
  if (const auto ttl = number_at(object, "ttl")) key.ttl = std::chrono::seconds(*ttl);
  key.delivered_at = *delivered_at;
  key.verified_at = seconds_at(object, "verifiedAt");
  key.expires_at = seconds_at(object, "expiresAt");
  key.rotates_at = seconds_at(object, "rotatesAt");
  return key;
}

}  // namespace

std::string write_details(const SlotRecord& record) {
  json sinks = json::array();
  for (const SinkRecord& sink : record.sinks)
    sinks.push_back({{"name", sink.name}, {"identity", sink.identity}, {"changedAt", seconds_json(sink.changed_at)}});
  json reissues = json::array();
  for (const WallTime time : record.reissues) reissues.push_back(seconds_json(time));
  const json document{{"inUse", record.in_use ? delivered_json(*record.in_use) : json()},
                      {"sinks", std::move(sinks)},
                      {"reissues", std::move(reissues)},
                      {"organization", record.organization},
                      {"name", record.name},
                      {"problem", record.problem}};
  return document.dump(-1, ' ', true, json::error_handler_t::replace);
}

bool read_details(std::string_view text, SlotRecord& record) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return false;
  if (const auto found = document.find("inUse"); found != document.end() && found->is_object())
    record.in_use = delivered_from(*found);
  for (const json& sink : array_of(document, "sinks"))
    if (sink.is_object())
      record.sinks.push_back({text_of(sink, "name"), text_of(sink, "identity"), seconds_at(sink, "changedAt")});
  for (const json& time : array_of(document, "reissues"))
    if (time.is_number_integer()) record.reissues.emplace_back(std::chrono::seconds(time.get<std::int64_t>()));
  record.organization = text_of(document, "organization");
  record.name = text_of(document, "name");
  record.problem = text_of(document, "problem");
  return true;
}

}  // namespace graft::state
