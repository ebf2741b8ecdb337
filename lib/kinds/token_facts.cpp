#include "kinds/token_facts.hpp"

#include <nlohmann/json.hpp>

#include "model/json_fields.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

std::uint32_t generation_of(const json& object) { return static_cast<std::uint32_t>(number_of(object, "generation")); }

json token_json(const token::ListedToken& token) {
  return {{"id", token.id.value()},
          {"generation", token.generation},
          {"created", seconds_json(token.created)},
          {"lastUsed", seconds_json(token.last_used)},
          {"expiration", seconds_json(token.expiration)},
          {"expired", token.expired},
          {"revoked", token.revoked}};
}

token::ListedToken token_from(const json& object) {
  token::ListedToken token;
  token.id = TokenId(number_of(object, "id"));
  token.generation = generation_of(object);
  token.created = seconds_at(object, "created").value_or(WallTime{});
  token.last_used = seconds_at(object, "lastUsed");
  token.expiration = seconds_at(object, "expiration");
  token.expired = flag_of(object, "expired");
  token.revoked = flag_of(object, "revoked");
  return token;
}

json entry_json(const std::optional<sink::MarkerEntry>& entry) {
  if (!entry) return {};
  return {{"fingerprint", entry->fingerprint},
          {"generation", entry->generation},
          {"tokenId", entry->token_id.value()},
          {"deliveredAt", seconds_json(entry->delivered_at)}};
}

std::optional<sink::MarkerEntry> entry_from(const json* object) {
  if (object == nullptr || !object->is_object()) return std::nullopt;
  sink::MarkerEntry entry;
  entry.fingerprint = text_of(*object, "fingerprint");
  entry.generation = generation_of(*object);
  entry.token_id = TokenId(number_of(*object, "tokenId"));
  entry.delivered_at = seconds_at(*object, "deliveredAt").value_or(WallTime{});
  return entry;
}

json sink_json(const token::SinkInputs& sink) {
  return {{"name", sink.name},
          {"problem", sink.problem},
          {"keyState", static_cast<int>(sink.key_state)},
          {"keyProblem", sink.key_problem},
          {"keyEntry", entry_json(sink.key_entry)},
          {"marked", sink.marked},
          {"accessFound", sink.access_found},
          {"accessWanted", sink.access_wanted},
          {"markerGeneration", sink.marker_generation},
          {"known", sink.known},
          {"changedAt", seconds_json(sink.changed_at)}};
}

token::SinkInputs sink_from(const json& object) {
  token::SinkInputs sink;
  sink.name = text_of(object, "name");
  sink.problem = text_of(object, "problem");
  sink.key_state = static_cast<sink::KeyState>(number_of(object, "keyState"));
  sink.key_problem = text_of(object, "keyProblem");
  sink.key_entry = entry_from(member(object, "keyEntry"));
  sink.marked = flag_of(object, "marked");
  sink.access_found = text_of(object, "accessFound");
  sink.access_wanted = text_of(object, "accessWanted");
  sink.marker_generation = static_cast<std::uint32_t>(number_of(object, "markerGeneration"));
  sink.known = flag_of(object, "known");
  sink.changed_at = seconds_at(object, "changedAt");
  return sink;
}

// Of the record, what decide() looks at.
json record_json(const std::optional<state::SlotRecord>& record) {
  if (!record) return {};
  json reissues = json::array(), sinks = json::array();
  for (const WallTime time : record->reissues) reissues.push_back(seconds_json(time));
  for (const state::SinkRecord& sink : record->sinks) sinks.push_back(sink.name);
  json in_use;
  if (record->in_use)
    in_use = {{"generation", record->in_use->generation},
              {"ttl", record->in_use->ttl ? json(record->in_use->ttl->count()) : json()}};
  return {{"generation", record->generation},
          {"phase", static_cast<int>(record->phase)},
          {"tokenId", record->token_id ? json(record->token_id->value()) : json()},
          {"inUse", std::move(in_use)},
          {"sinks", std::move(sinks)},
          {"reissues", std::move(reissues)}};
}

std::optional<state::SlotRecord> record_from(const json* object) {
  if (object == nullptr || !object->is_object()) return std::nullopt;
  state::SlotRecord record;
  record.generation = generation_of(*object);
  record.phase = static_cast<state::Phase>(number_of(*object, "phase"));
  if (const std::int64_t id = number_of(*object, "tokenId"); id > 0) record.token_id = TokenId(id);
  if (const json* in_use = member(*object, "inUse"); in_use != nullptr && in_use->is_object()) {
    record.in_use.emplace();
    record.in_use->generation = generation_of(*in_use);
    if (const std::int64_t ttl = number_of(*in_use, "ttl"); ttl > 0) record.in_use->ttl = std::chrono::seconds(ttl);
  }
  for (const json& name : array_of(*object, "sinks"))
    if (name.is_string()) record.sinks.push_back({name.get<std::string>(), {}});
  for (const json& time : array_of(*object, "reissues"))
    if (time.is_number_integer()) record.reissues.emplace_back(std::chrono::seconds(time.get<std::int64_t>()));
  return record;
}

}  // namespace

std::string facts_to_json(const token::Inputs& inputs) {
  json tokens = json::array(), sinks = json::array();
  for (const token::ListedToken& token : inputs.tokens) tokens.push_back(token_json(token));
  for (const token::SinkInputs& sink : inputs.sinks) sinks.push_back(sink_json(sink));
  const json document{{"listProblem", inputs.list_problem},           {"tokens", std::move(tokens)},
                      {"serverNow", seconds_json(inputs.server_now)}, {"sinks", std::move(sinks)},
                      {"proof", static_cast<int>(inputs.proof)},      {"record", record_json(inputs.record)},
                      {"rotationAsked", inputs.rotation_asked}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

token::Inputs facts_from_json(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  token::Inputs inputs;
  inputs.list_problem = text_of(document, "listProblem");
  for (const json& token : array_of(document, "tokens")) inputs.tokens.push_back(token_from(token));
  inputs.server_now = seconds_at(document, "serverNow");
  for (const json& sink : array_of(document, "sinks")) inputs.sinks.push_back(sink_from(sink));
  inputs.proof = static_cast<token::Proof>(number_of(document, "proof"));
  inputs.record = record_from(member(document, "record"));
  inputs.rotation_asked = flag_of(document, "rotationAsked");
  return inputs;
}

std::string decision_to_json(const token::Decision& decision) {
  json revoke = json::array();
  for (const TokenId id : decision.revoke) revoke.push_back(id.value());
  return json{{"step", static_cast<int>(decision.step)},
              {"reason", decision.reason},
              {"generation", decision.generation},
              {"unplanned", decision.unplanned},
              {"revoke", std::move(revoke)},
              {"from", decision.from},
              {"to", decision.to}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

token::Decision decision_from_json(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  token::Decision decision;
  decision.step = static_cast<token::Step>(number_of(document, "step"));
  decision.reason = text_of(document, "reason");
  decision.generation = generation_of(document);
  decision.unplanned = flag_of(document, "unplanned");
  for (const json& id : array_of(document, "revoke"))
    if (id.is_number_integer()) decision.revoke.emplace_back(id.get<std::int64_t>());
  decision.from = static_cast<std::size_t>(number_of(document, "from"));
  for (const json& index : array_of(document, "to"))
    if (index.is_number_unsigned()) decision.to.push_back(index.get<std::size_t>());
  return decision;
}

}  // namespace graft::kinds
