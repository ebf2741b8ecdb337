#include "kinds/token_facts.hpp"

#include <nlohmann/json.hpp>

#include "grafana/json_fields.hpp"

namespace graft::kinds {

namespace {

using grafana::flag_of;
using grafana::member;
using grafana::number_of;
using grafana::text_of;
using nlohmann::json;

json time_json(const std::optional<WallTime>& time) { return time ? json(time->time_since_epoch().count()) : json(); }

std::optional<WallTime> time_from(const json& object, const char* name) {
  const json* value = member(object, name);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  return WallTime{std::chrono::seconds(value->get<std::int64_t>())};
}

std::uint32_t generation_of(const json& object) { return static_cast<std::uint32_t>(number_of(object, "generation")); }

json token_json(const token::ListedToken& token) {
  return {{"id", token.id.value()},
          {"generation", token.generation},
          {"created", time_json(token.created)},
          {"lastUsed", time_json(token.last_used)},
          {"expiration", time_json(token.expiration)},
          {"expired", token.expired},
          {"revoked", token.revoked}};
}

token::ListedToken token_from(const json& object) {
  token::ListedToken token;
  token.id = TokenId(number_of(object, "id"));
  token.generation = generation_of(object);
  token.created = time_from(object, "created").value_or(WallTime{});
  token.last_used = time_from(object, "lastUsed");
  token.expiration = time_from(object, "expiration");
  token.expired = flag_of(object, "expired");
  token.revoked = flag_of(object, "revoked");
  return token;
}

json entry_json(const std::optional<sink::MarkerEntry>& entry) {
  if (!entry) return {};
  return {{"fingerprint", entry->fingerprint},
          {"generation", entry->generation},
          {"tokenId", entry->token_id.value()},
          {"deliveredAt", time_json(entry->delivered_at)}};
}

std::optional<sink::MarkerEntry> entry_from(const json* object) {
  if (object == nullptr || !object->is_object()) return std::nullopt;
  sink::MarkerEntry entry;
  entry.fingerprint = text_of(*object, "fingerprint");
  entry.generation = generation_of(*object);
  entry.token_id = TokenId(number_of(*object, "tokenId"));
  entry.delivered_at = time_from(*object, "deliveredAt").value_or(WallTime{});
  return entry;
}

json record_json(const std::optional<state::SlotRecord>& record) {
  if (!record) return {};
  return {{"generation", record->generation},
          {"phase", static_cast<int>(record->phase)},
          {"tokenId", record->token_id ? json(record->token_id->value()) : json()}};
}

std::optional<state::SlotRecord> record_from(const json* object) {
  if (object == nullptr || !object->is_object()) return std::nullopt;
  state::SlotRecord record;
  record.generation = generation_of(*object);
  record.phase = static_cast<state::Phase>(number_of(*object, "phase"));
  if (const std::int64_t id = number_of(*object, "tokenId"); id > 0) record.token_id = TokenId(id);
  return record;
}

}  // namespace

std::string facts_to_json(const token::Inputs& inputs) {
  json tokens = json::array();
  for (const token::ListedToken& token : inputs.tokens) tokens.push_back(token_json(token));
  const json document{{"listProblem", inputs.list_problem},
                      {"tokens", std::move(tokens)},
                      {"serverNow", time_json(inputs.server_now)},
                      {"sinkProblem", inputs.sink_problem},
                      {"keyState", static_cast<int>(inputs.key_state)},
                      {"keyProblem", inputs.key_problem},
                      {"accessFound", inputs.access_found},
                      {"accessWanted", inputs.access_wanted},
                      {"keyEntry", entry_json(inputs.key_entry)},
                      {"markerGeneration", inputs.marker_generation},
                      {"proof", static_cast<int>(inputs.proof)},
                      {"record", record_json(inputs.record)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

token::Inputs facts_from_json(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  token::Inputs inputs;
  inputs.list_problem = text_of(document, "listProblem");
  for (const json& token : grafana::array_of(document, "tokens")) inputs.tokens.push_back(token_from(token));
  inputs.server_now = time_from(document, "serverNow");
  inputs.sink_problem = text_of(document, "sinkProblem");
  inputs.key_state = static_cast<sink::KeyState>(number_of(document, "keyState"));
  inputs.key_problem = text_of(document, "keyProblem");
  inputs.access_found = text_of(document, "accessFound");
  inputs.access_wanted = text_of(document, "accessWanted");
  inputs.key_entry = entry_from(member(document, "keyEntry"));
  inputs.marker_generation = static_cast<std::uint32_t>(number_of(document, "markerGeneration"));
  inputs.proof = static_cast<token::Proof>(number_of(document, "proof"));
  inputs.record = record_from(member(document, "record"));
  return inputs;
}

std::string decision_to_json(const token::Decision& decision) {
  json revoke = json::array();
  for (const TokenId id : decision.revoke) revoke.push_back(id.value());
  return json{{"step", static_cast<int>(decision.step)}, {"generation", decision.generation}, {"revoke", revoke}}
      .dump();
}

token::Decision decision_from_json(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  token::Decision decision;
  decision.step = static_cast<token::Step>(number_of(document, "step"));
  decision.generation = generation_of(document);
  for (const json& id : grafana::array_of(document, "revoke"))
    if (id.is_number_integer()) decision.revoke.emplace_back(id.get<std::int64_t>());
  return decision;
}

}  // namespace graft::kinds
