#include "status/documents.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "plan/plan.hpp"

namespace graft::status {

namespace {

using nlohmann::json;

std::string text(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

json time_json(const std::optional<WallTime>& time) { return time ? json(format_rfc3339(*time)) : json(); }
json time_json(WallTime time) { return format_rfc3339(time); }

json counts_json(const Counts& counts) {
  json made = json::object();
  for (const ResourceState state : resource_states) made[std::string(to_string(state))] = counts[state];
  return made;
}

json cycle_json(const CycleRecord& cycle) {
  return {{"id", cycle.id},
          {"startedAt", time_json(cycle.started_at)},
          {"seconds", static_cast<double>(cycle.took.count()) / 1'000.0},
          {"result", to_string(cycle.result)},
          {"applied", cycle.applied},
          {"failed", cycle.failed},
          {"skipped", cycle.skipped},
          {"drifted", cycle.drifted},
          {"requests", cycle.requests},
          {"revision", cycle.revision},
          {"error", cycle.error}};
}

json progress_json(const Progress& progress) {
  json made = {{"id", progress.id},
               {"startedAt", time_json(progress.started_at)},
               {"stage", to_string(progress.stage)},
               {"done", progress.done},
               {"total", progress.total},
               {"perSecond", json()},
               {"remainingSeconds", json()}};
  if (progress.per_second) made["perSecond"] = *progress.per_second;
  if (const auto left = progress.remaining()) made["remainingSeconds"] = left->count();
  return made;
}

json problem_json(const Problem& problem) {
  return {{"about", problem.about}, {"resource", problem.resource}, {"message", problem.message},
          {"at", problem.at},       {"hint", problem.hint},         {"since", time_json(problem.since)}};
}

json conditions_json(const Facts& facts, WallTime now) {
  json made = json::array();
  for (const Condition& condition : conditions(facts, now))
    made.push_back({{"type", condition.type},
                    {"status", condition.status},
                    {"reason", condition.reason},
                    {"message", condition.message},
                    {"since", time_json(condition.since)}});
  return made;
}

json organizations_json(const Overview* overview) {
  std::map<std::string_view, Counts> by_name;
  if (overview != nullptr)
    for (const Entry& entry : overview->entries) by_name[entry.desired->key.organization].add(entry.state);
  json made = json::array();
  for (const auto& [name, counts] : by_name) made.push_back({{"name", name}, {"counts", counts_json(counts)}});
  return made;
}

json token_counts_json(const Slots* slots, WallTime now) {
  std::size_t in_use = 0, due = 0, expired = 0, problem = 0;
  if (slots != nullptr)
    for (const auto& [key, record] : *slots) {
      const std::string_view state = slot_state(record, now);
      if (state == "attention" || state == "pending") ++problem;
      if (state == "expired") ++expired;
      if (state == "rotation due" || state == "rotating") ++due;
      if (state == "in use") ++in_use;
    }
  return {{"in_use", in_use}, {"due", due}, {"expired", expired}, {"problem", problem}};
}

json token_json(const state::SlotKey& key, const state::SlotRecord& record, WallTime now) {
  json sinks = json::array();
  for (const state::SinkRecord& sink : record.sinks) sinks.push_back(sink.name);
  const bool named = record.name.size() > key.token.size();
  json out{{"slot", slot_name(key, record)},
           {"organization", record.organization},
           {"organizationId", key.organization.value()},
           {"serviceAccount", named ? record.name.substr(0, record.name.size() - key.token.size() - 1) : std::string()},
           {"login", key.account_login},
           {"token", key.token},
           {"state", slot_state(record, now)},
           {"problem", record.problem},
           {"sinks", std::move(sinks)},
           {"generation", json()},
           {"deliveredAt", json()},
           {"verifiedAt", json()},
           {"expiresAt", json()},
           {"rotatesAt", json()}};
  if (!record.in_use) return out;
  out["generation"] = record.in_use->generation;
  out["deliveredAt"] = time_json(record.in_use->delivered_at);
  out["verifiedAt"] = time_json(record.in_use->verified_at);
  out["expiresAt"] = time_json(record.in_use->expires_at);
  out["rotatesAt"] = time_json(record.in_use->rotates_at);
  return out;
}

json change_json(const state::Change& change) {
  json fields = json::array();
  for (const FieldChange& field : change.fields)
    fields.push_back({{"path", field.pointer}, {"before", field.before}, {"after", field.after}});
  return {{"id", change.id},
          {"at", time_json(change.at)},
          {"cycle", change.cycle},
          {"revision", change.revision},
          {"kind", change.kind},
          {"organization", change.organization},
          {"name", change.name},
          {"action", change.action},
          {"outcome", change.outcome},
          {"cause", change.cause},
          {"fields", std::move(fields)},
          {"message", change.message}};
}

}  // namespace

std::string status_document(const Facts& facts, WallTime now) {
  json cycles = json::array();
  for (const CycleRecord& cycle : facts.cycles) cycles.push_back(cycle_json(cycle));
  json shown = json::array();
  const std::vector<Problem> all = problems(facts);
  for (std::size_t i = 0; i < all.size() && i < problems_shown; ++i) shown.push_back(problem_json(all[i]));
  return text({{"graftd",
                {{"version", facts.version},
                 {"revision", facts.build_revision},
                 {"owner", facts.owner},
                 {"startedAt", time_json(facts.started_at)}}},
               {"grafana", {{"url", facts.grafana_url}, {"version", json()}}},
               {"now", time_json(now)},
               {"state", to_string(facts.state)},
               {"since", time_json(facts.since)},
               {"headline", headline(facts)},
               {"conditions", conditions_json(facts, now)},
               {"revision", {{"applied", facts.revision}, {"rejected", facts.rejected}}},
               {"interval", facts.interval.count()},
               {"nextCycleAt", time_json(facts.next_cycle_at)},
               {"cycle", facts.progress ? progress_json(*facts.progress) : json()},
               {"cycles", std::move(cycles)},
               {"counts", counts_json(facts.overview ? facts.overview->counts() : Counts{})},
               {"organizations", organizations_json(facts.overview.get())},
               {"problems", std::move(shown)},
               {"problemsLeftOut", all.size() > problems_shown ? all.size() - problems_shown : 0},
               {"tokens", token_counts_json(facts.slots.get(), now)},
               {"resourcesVersion", facts.overview ? facts.overview->version : 0}});
}

std::string resources_document(const Overview* overview) {
  json list = json::array();
  if (overview != nullptr)
    for (const Entry& entry : overview->entries)
      list.push_back({{"kind", entry.desired->key.kind.text()},
                      {"organization", entry.desired->key.organization},
                      {"name", entry.desired->key.name},
                      {"summary", entry.desired->summary},
                      {"state", to_string(entry.state)},
                      {"since", time_json(entry.since)},
                      {"changedAt", time_json(entry.changed_at)},
                      {"message", entry.message},
                      {"hint", entry.hint},
                      {"at", entry.desired->at.to_string()}});
  return text({{"version", overview != nullptr ? overview->version : 0}, {"resources", std::move(list)}});
}

std::string plan_document(const Facts& facts) {
  json plan = facts.plan ? json::parse(*facts.plan, nullptr, false) : json::object();
  if (!plan.is_object() || plan.empty())
    plan = {{"digest", ""}, {"summary", json::object()}, {"actions", json::array()}};
  plan["at"] = time_json(facts.planned_at);
  return text(plan);
}

std::string tokens_document(const Slots* slots, WallTime now) {
  json list = json::array();
  if (slots != nullptr)
    for (const auto& [key, record] : *slots) list.push_back(token_json(key, record, now));
  return text({{"tokens", std::move(list)}});
}

std::string history_document(std::span<const state::Change> changes, bool more) {
  json list = json::array();
  for (const state::Change& change : changes) list.push_back(change_json(change));
  return text({{"changes", std::move(list)}, {"more", more}});
}

std::string change_document(const state::Change& change) { return text(change_json(change)); }
std::string cycle_document(const CycleRecord& cycle) { return text(cycle_json(cycle)); }
std::string progress_document(const Progress& progress) { return text(progress_json(progress)); }

std::string changed_document(const Facts& facts) {
  return text({{"state", to_string(facts.state)}, {"resourcesVersion", facts.overview ? facts.overview->version : 0}});
}

}  // namespace graft::status
