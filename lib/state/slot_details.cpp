#include "state/slot_details.hpp"

#include <nlohmann/json.hpp>

namespace graft::state {

namespace {

using nlohmann::json;

std::int64_t seconds_of(WallTime time) { return time.time_since_epoch().count(); }
json time_json(const std::optional<WallTime>& time) { return time ? json(seconds_of(*time)) : json(); }
WallTime to_time(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

std::string text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> number_at(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<WallTime> time_at(const json& object, const char* name) {
  const auto seconds = number_at(object, name);
  return seconds ? std::optional(to_time(*seconds)) : std::nullopt;
}

json delivered_json(const DeliveredKey& key) {
  return {{"generation", key.generation},
          {"tokenId", key.token_id.value()},
          {"fingerprint", key.fingerprint},
          {"ttl", key.ttl ? json(key.ttl->count()) : json()},
          {"deliveredAt", seconds_of(key.delivered_at)},
          {"verifiedAt", time_json(key.verified_at)},
          {"expiresAt", time_json(key.expires_at)},
          {"rotatesAt", time_json(key.rotates_at)}};
}

std::optional<DeliveredKey> delivered_from(const json& object) {
  const auto generation = number_at(object, "generation");
  const auto token = number_at(object, "tokenId");
  const auto delivered_at = time_at(object, "deliveredAt");
  if (!generation || *generation < 0 || !token || !delivered_at) return std::nullopt;
  DeliveredKey key;
  key.generation = static_cast<std::uint32_t>(*generation);
  key.token_id = TokenId(*token);
  key.fingerprint = text_at(object, "fingerprint");
  if (const auto ttl = number_at(object, "ttl")) key.ttl = std::chrono::seconds(*ttl);
  key.delivered_at = *delivered_at;
  key.verified_at = time_at(object, "verifiedAt");
  key.expires_at = time_at(object, "expiresAt");
  key.rotates_at = time_at(object, "rotatesAt");
  return key;
}

const json& array_at(const json& object, const char* name) {
  static const json none = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : none;
}

}  // namespace

std::string write_details(const SlotRecord& record) {
  json sinks = json::array();
  for (const SinkRecord& sink : record.sinks)
    sinks.push_back({{"name", sink.name}, {"identity", sink.identity}, {"changedAt", time_json(sink.changed_at)}});
  json reissues = json::array();
  for (const WallTime time : record.reissues) reissues.push_back(seconds_of(time));
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
  for (const json& sink : array_at(document, "sinks"))
    if (sink.is_object())
      record.sinks.push_back({text_at(sink, "name"), text_at(sink, "identity"), time_at(sink, "changedAt")});
  for (const json& time : array_at(document, "reissues"))
    if (time.is_number_integer()) record.reissues.push_back(to_time(time.get<std::int64_t>()));
  record.organization = text_at(document, "organization");
  record.name = text_at(document, "name");
  record.problem = text_at(document, "problem");
  return true;
}

}  // namespace graft::state
