#include "events/compose.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/text.hpp"
#include "events/body.hpp"

namespace graft::events {

namespace {

constexpr std::chrono::hours usual_rotation_time{24};  // taken for a token that has none
constexpr std::string_view token_kind = kind_service_account_token.text();

// A reason without its numbers: durations, ports and counters in it differ at each attempt.
std::string without_numbers(std::string_view message) {
  std::string out;
  for (const char c : message) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) out.push_back(c);
    if (digit && (out.empty() || out.back() != '#')) out.push_back('#');
  }
  return out;
}

Subject subject_of(const state::Change& change) { return {change.kind, change.organization, change.name}; }

using Group = std::vector<Told>;  // of one type

Told summary(const Told& like, std::size_t more) {
  Told rest;
  rest.type = like.type;
  rest.error = like.error;
  rest.reason = "More";
  rest.message = fmt::format("{} more events of type {} in this cycle", more, like.type);
  return rest;
}

Told like(std::string type, std::string reason, bool error) {
  Told told;
  told.type = std::move(type);
  told.reason = std::move(reason);
  told.error = error;
  return told;
}

Told drift_told(const Happened& happened, std::size_t untold) {
  const bool put_back = happened.change.outcome == "done";
  Told told = like("drift", put_back ? "PutBack" : "NotPutBack", !put_back);
  told.subject = subject_of(happened.change);
  told.manifest = happened.manifest;
  told.fields = happened.change.fields;
  told.message =
      put_back ? "was changed by somebody else, and put back" : "was changed by somebody else, and is so still";
  if (untold > 0) told.message += fmt::format(" (and {} more times since it was told last)", untold);
  return told;
}

// Who fights with us over a resource is told of once an hour.
void tell_drift(const CycleFacts& facts, Memory& memory, Group& out) {
  std::erase_if(memory.drifted,
                [&](const auto& entry) { return facts.at >= entry.second.told + std::chrono::days(1); });
  for (const Happened& each : facts.happened) {
    if (each.change.cause != "drift") continue;
    const auto [known, first] = memory.drifted.try_emplace(subject_of(each.change), Memory::Drift{facts.at, 0});
    Memory::Drift& drift = known->second;
    const bool again = facts.at >= drift.told + drift_again_after || facts.at < drift.told;
    if (first || again) {
      out.push_back(drift_told(each, drift.untold));
      drift = {facts.at, 0};
    } else {
      ++drift.untold;
    }
  }
}

Told standing_told(const Standing& standing, Told told) {
  told.subject = standing.subject;
  told.message = standing.message;
  told.manifest = standing.manifest;
  told.fields = standing.fields;
  return told;
}

// What begins to stand so, or does for a reason that was not told; gives what was told and does not stand so any more,
// and forgets it.
std::vector<Subject> tell_standing(const CycleFacts& facts, Standing::What what,
                                   std::map<Subject, Memory::Reasons>& known, const Told& form, Group& out) {
  if (!facts.looked) return {};
  std::map<Subject, Memory::Reasons> now;
  for (const Standing& each : facts.standing) {
    if (each.what != what) continue;
    Memory::Reasons& reasons = now.try_emplace(each.subject, known[each.subject]).first->second;
    if (reasons.size() < most_reasons && reasons.insert(without_numbers(each.message)).second)
      out.push_back(standing_told(each, form));
  }
  const std::set<Subject> not_known(facts.not_known.begin(), facts.not_known.end());
  std::vector<Subject> over;
  for (const auto& [subject, reasons] : known) {
    if (now.contains(subject)) continue;
    if (not_known.contains(subject)) {
      now.emplace(subject, reasons);
    } else {
      over.push_back(subject);
    }
  }
  known = std::move(now);
  return over;
}

void tell_recovered(const std::vector<Subject>& over, Group& out) {
  for (const Subject& subject : over) {
    Told told = like("recovered", "Recovered", false);
    told.subject = subject;
    told.message = "does not fail any more";
    out.push_back(std::move(told));
  }
}

std::string reason_of_key(const std::string& cause) {
  if (cause == "rotation") return "Rotated";
  if (cause == "request") return "Requested";
  return cause == "recovery" ? "Recovered" : "Issued";
}

void tell_rotations(const CycleFacts& facts, Group& out) {
  for (const Happened& each : facts.happened) {
    const state::Change& change = each.change;
    const bool caused = change.cause == "rotation" || change.cause == "request" || change.cause == "recovery";
    if (change.kind != token_kind || change.outcome != "done" || !(caused || change.action == "create")) continue;
    Told told = like("rotation", reason_of_key(change.cause), false);
    told.subject = subject_of(change);
    told.message = change.message.empty() ? "got a new key" : "got a new key: " + change.message;
    told.manifest = each.manifest;
    out.push_back(std::move(told));
  }
}

std::optional<Told> expiry_told(const TokenExpiry& token, WallTime now) {
  const std::chrono::seconds time_to_rotate =
      token.rotates_at ? token.expires_at - *token.rotates_at : std::chrono::seconds(usual_rotation_time);
  const bool expired = token.expires_at <= now;
  if (!expired && token.expires_at - now >= time_to_rotate / 4) return std::nullopt;
  Told told = like("expiry", expired ? "Expired" : "NearsExpiry", true);
  told.subject = Subject{std::string(token_kind), token.organization, token.name};
  told.message = fmt::format("{} at {}{}", expired ? "expired" : "expires", format_rfc3339(token.expires_at),
                             token.rotates_at ? ", and was not rotated in time" : "; it is not rotated");
  return told;
}

void tell_expiries(const CycleFacts& facts, Memory& memory, Group& out) {
  if (!facts.looked) return;
  const WallTime now = facts.server_time.value_or(facts.at);
  decltype(memory.expiring) known;
  for (const TokenExpiry& token : facts.tokens) {
    auto told = expiry_told(token, now);
    if (!told) continue;
    auto key = std::tuple(*told->subject, token.expires_at, token.expires_at <= now);
    if (!memory.expiring.contains(key)) out.push_back(std::move(*told));
    known.insert(std::move(key));
  }
  memory.expiring = std::move(known);
}

void tell_stop(const CycleFacts& facts, Memory& memory, Group& stopped, Group& resumed) {
  if (facts.stopped && memory.stopped.insert(facts.stopped->about).second) {
    const bool manifests = facts.stopped->about == "manifests";
    Told told = like("stopped", manifests ? "ManifestsRejected" : "CannotReconcile", true);
    told.message = facts.stopped->message;
    told.manifest = facts.stopped->manifest;
    stopped.push_back(std::move(told));
  }
  if (!facts.stopped && !std::exchange(memory.stopped, {}).empty()) {
    Told told = like("resumed", "Resumed", false);
    told.message = "cycles are carried out again";
    resumed.push_back(std::move(told));
  }
}

// The type by whose name an event is chosen.
const std::string& choice_of(const std::string& type) {
  static const std::string failure = "failure", stopped = "stopped";
  return type == "recovered" ? failure : type == "resumed" ? stopped : type;
}

void make_events(const Group& group, const CycleFacts& facts, const Composer& composer,
                 std::vector<state::Event>& out) {
  const auto make = [&](const Told& told) {
    if (!composer.types.empty() && !composer.types.contains(choice_of(told.type))) return;
    state::Event event;
    event.uid = composer.new_uid();
    event.at = event.next_attempt = facts.at;
    event.type = told.type;
    event.body = body_of(told, event.uid, facts, composer);
    out.push_back(std::move(event));
  };
  const std::size_t single = std::min(group.size(), most_of_a_type);
  for (std::size_t i = 0; i < single; ++i) make(group[i]);
  if (group.size() > single) make(summary(group.front(), group.size() - single));
}

}  // namespace

Composed compose(const CycleFacts& facts, Memory memory, const Composer& composer) {
  using What = Standing::What;
  Group drift, failure, recovered, rotation, expiry, hold, stopped, resumed;
  tell_drift(facts, memory, drift);
  tell_standing(facts, What::drifted, memory.left, like("drift", "LeftSo", true), drift);
  tell_recovered(tell_standing(facts, What::failed, memory.failing, like("failure", "Failed", true), failure),
                 recovered);
  tell_rotations(facts, rotation);
  tell_expiries(facts, memory, expiry);
  tell_standing(facts, What::held, memory.held, like("hold", "Held", false), hold);
  tell_stop(facts, memory, stopped, resumed);
  Composed composed;
  for (const Group* group : {&drift, &failure, &recovered, &rotation, &expiry, &hold, &stopped, &resumed})
    make_events(*group, facts, composer, composed.events);
  composed.memory = std::move(memory);
  return composed;
}

std::set<std::string> types_of(std::string_view comma_separated) {
  std::set<std::string> types;
  while (!comma_separated.empty()) {
    const std::size_t end = std::min(comma_separated.find(','), comma_separated.size());
    const std::string_view word = trim(comma_separated.substr(0, end));
    if (!word.empty()) types.emplace(word);
    comma_separated.remove_prefix(std::min(end + 1, comma_separated.size()));
  }
  return types;
}

}  // namespace graft::events
