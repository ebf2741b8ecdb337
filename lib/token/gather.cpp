// The reading half of the issuer: Grafana's list, the sinks, the store, and whether the delivered key is alive; and
// what is noted of it.
#include <algorithm>
#include <fmt/format.h>

#include "async/offload.hpp"
#include "token/issuer.hpp"

namespace graft::token {

namespace {

constexpr std::chrono::seconds clock_tolerance{60};  // server time against steady time, between two cycles

ListedToken listed(const grafana::Token& token, std::uint32_t generation) {
  ListedToken one;
  one.id = token.id;
  one.generation = generation;
  one.created = token.created;
  one.last_used = token.last_used;
  one.expiration = token.expiration;
  one.expired = token.expired;
  one.revoked = token.revoked;
  return one;
}

// F3: the list is cut at 300 without a sign; an empty one is also the answer for a wrong account.
void take_list(const Slot& slot, const Issuer::TokenList& tokens, Inputs& inputs) {
  if (!tokens) {
    inputs.list_problem = tokens.error().describe();
    return;
  }
  const bool whole = slot.account.value() == 0 || static_cast<std::int64_t>(tokens->size()) == slot.account_tokens;
  if (!whole) {
    inputs.list_problem = fmt::format(
        "Grafana lists {} tokens of the account but counts {}; what is missing from the list cannot be told from what "
        "is not there",
        tokens->size(), slot.account_tokens);
    return;
  }
  for (const grafana::Token& token : *tokens)
    if (const auto generation = recognise(slot.identity, token.name))
      inputs.tokens.push_back(listed(token, *generation));
}

bool ours(const Slot& slot, const std::optional<sink::Marker>& marker) {
  return marker && marker->slot == slot.name() && marker->owner == slot.identity.owner;
}

state::SinkRecord* sink_record(state::SlotRecord& record, const std::string& name) {
  const auto found = std::ranges::find(record.sinks, name, &state::SinkRecord::name);
  return found == record.sinks.end() ? nullptr : &*found;
}

std::string_view in_words(Proof proof) {
  switch (proof) {
    case Proof::alive:
      return "the key is alive";
    case Proof::refused:
      return "Grafana refuses the key";
    case Proof::wrong_account:
      return "the key belongs to another account";
    case Proof::none:
      return "Grafana refused the key once, or did not say whose it is; one refusal alone proves nothing";
  }
  return "";
}

}  // namespace

asio::awaitable<Issuer::TokenList> Issuer::list(const Slot& slot) {
  // The account was looked for and is not there: it has no tokens.
  if (slot.account.value() == 0) co_return std::vector<grafana::Token>();
  co_return co_await server_.list(slot.identity.organization, slot.account);
}

asio::awaitable<Inputs> Issuer::gather(const Slot& slot, const TokenList& tokens) {
  Inputs inputs;
  take_list(slot, tokens, inputs);
  bool verify = false;
  Result<std::optional<state::SlotRecord>> record = co_await look_up(slot, inputs, verify);
  if (record) {
    inputs.record = std::move(*record);
  } else {
    // Without the store's word nothing counts as undelivered; but an unreadable store also cannot take an intent.
    inputs.list_problem = record.error().describe();
  }
  std::vector<sink::Reading> readings;
  co_await read_sinks(slot, inputs, readings);
  const auto newest = inputs.list_problem.empty() ? newest_key(inputs) : std::nullopt;
  if (newest && slot.account.value() > 0) inputs.proof = co_await prove(slot, readings[*newest].key, verify);
  inputs.server_now = server_.now();
  co_await note(slot, inputs, readings);
  if (verify && !settings_.read_only) {
    const std::string text =
        newest ? fmt::format("generation {}: {}", inputs.sinks[*newest].key_entry->generation, in_words(inputs.proof))
               : "no key is in use: " + decide(inputs, slot.policy).reason;
    const bool alive = newest && inputs.proof == Proof::alive;
    co_await answer(slot.key(), state::Request::Kind::verify,
                    alive ? state::Request::State::done : state::Request::State::failed, text);
  }
  co_return inputs;
}

asio::awaitable<void> Issuer::read_sinks(const Slot& slot, Inputs& inputs, std::vector<sink::Reading>& readings) {
  for (sink::Sink* place : slot.sinks) {
    SinkInputs one;
    one.name = place->describe();
    Result<sink::Reading> reading = co_await place->read();
    if (reading) {
      attribute(slot, *reading, one, inputs);
      readings.push_back(std::move(*reading));
    } else {
      one.problem = reading.error().describe();
      readings.emplace_back();
    }
    inputs.sinks.push_back(std::move(one));
  }
}

// Whose key lies there: by the marker beside it; without one, by the store.
void Issuer::attribute(const Slot& slot, const sink::Reading& reading, SinkInputs& out, const Inputs& inputs) const {
  out.key_state = reading.state;
  out.key_problem = reading.problem;
  out.access_found = reading.access_found;
  out.access_wanted = reading.access_wanted;
  if (ours(slot, reading.marker)) {
    for (const sink::MarkerEntry& entry : reading.marker->entries) {
      out.marker_generation = std::max(out.marker_generation, entry.generation);
      if (reading.state == sink::KeyState::present && entry.fingerprint == reading.fingerprint) out.key_entry = entry;
    }
  }
  out.marked = out.key_entry.has_value();
  if (out.marked || reading.state != sink::KeyState::present || !inputs.record || !inputs.record->in_use) return;
  const state::DeliveredKey& known = *inputs.record->in_use;
  if (known.fingerprint.empty() || known.fingerprint != fingerprint_of(reading.key)) return;
  out.key_entry = sink::MarkerEntry{known.fingerprint, known.generation, known.token_id, known.delivered_at};
}

// What was seen, for the next cycle, the next process, and `graftd tokens list`. Written only when it differs.
asio::awaitable<void> Issuer::note(const Slot& slot, Inputs& inputs, const std::vector<sink::Reading>& readings) {
  const std::optional<state::SlotRecord> before = inputs.record;
  state::SlotRecord record = before.value_or(state::SlotRecord{});
  note_sinks(slot, inputs, readings, record);
  record.organization = slot.organization_name;
  record.name = slot.declared_name;
  note_key(inputs, readings, slot, record);
  // A slot that the store does not know stays unknown to decide(): only a real record says anything of phases.
  if (before) inputs.record = record;
  const Decision decision = decide(inputs, slot.policy);
  const bool waits = decision.step == Step::wait || decision.step == Step::unknown || decision.unplanned;
  if (waits || decision.step != Step::issue) record.problem = waits ? decision.reason : std::string();
  if (settings_.read_only) co_return;
  if (inputs.rotation_asked && decision.step == Step::unknown)
    co_await answer(slot.key(), state::Request::Kind::rotate, state::Request::State::failed, decision.reason);
  if (record == before || !inputs.server_now) co_return;
  const auto write = [this, &slot, &record] { return store_.put_slot(slot.key(), record); };
  Status written = co_await async::offload(disk_, write);
  if (!written) log_.warning("slot not noted", {{"slot", slot.name()}, {"err", written.error().describe()}});
}

// Rules D and N: a place that was changed behind our back, or whose past is not known, may have been read by somebody
// at another key since; grace begins anew. So it does when a clock has jumped, since ages then mean nothing.
void Issuer::note_sinks(const Slot& slot, Inputs& inputs, const std::vector<sink::Reading>& readings,
                        state::SlotRecord& record) {
  if (!inputs.server_now) return;
  const WallTime now = *inputs.server_now;
  const bool jumped = clock_jumped(slot);
  std::vector<state::SinkRecord> seen;
  for (std::size_t i = 0; i < inputs.sinks.size(); ++i) {
    SinkInputs& sink = inputs.sinks[i];
    state::SinkRecord* known = sink_record(record, sink.name);
    sink.known = known != nullptr;
    if (!sink.problem.empty() || (known == nullptr && !sink.key_entry)) {
      if (known != nullptr) seen.push_back(*known);
      continue;
    }
    state::SinkRecord one = known != nullptr ? *known : state::SinkRecord{sink.name, {}};
    const bool future = sink.key_entry && sink.key_entry->delivered_at > now && !one.changed_at;
    const bool touched = known == nullptr || one.identity != readings[i].identity;
    if (touched || jumped || future || (one.changed_at && *one.changed_at > now)) one.changed_at = now;
    one.identity = readings[i].identity;
    sink.changed_at = one.changed_at;
    seen.push_back(std::move(one));
  }
  // Until a delivery reaches a new place, the old ones tell that there was one.
  if (!seen.empty()) record.sinks = std::move(seen);
}

void Issuer::note_key(const Inputs& inputs, const std::vector<sink::Reading>& readings, const Slot& slot,
                      state::SlotRecord& record) const {
  if (!inputs.server_now) return;
  const WallTime now = *inputs.server_now;
  std::erase_if(record.reissues, [&](WallTime time) { return std::chrono::abs(now - time) >= std::chrono::hours(1); });
  const auto newest = inputs.list_problem.empty() ? newest_key(inputs) : std::nullopt;
  if (!newest) return;
  const sink::MarkerEntry& entry = *inputs.sinks[*newest].key_entry;
  const ListedToken& token = *token_of(inputs, entry);
  if (!record.in_use || record.in_use->generation != entry.generation || record.in_use->token_id != entry.token_id) {
    record.in_use.emplace();
    record.in_use->generation = entry.generation;
    record.in_use->token_id = entry.token_id;
    record.in_use->delivered_at = entry.delivered_at;
    if (token.expiration) record.in_use->ttl = *token.expiration - token.created;
  }
  record.in_use->fingerprint = fingerprint_of(readings[*newest].key);
  record.in_use->expires_at = token.expiration;
  record.in_use->rotates_at = rotation_due(token, slot.policy);
  const auto seen = verifications_.find(slot.key());
  if (seen != verifications_.end() && seen->second.alive_at) record.in_use->verified_at = seen->second.alive_at;
}

// Server time must go on as steady time does, or a clock was set.
bool Issuer::clock_jumped(const Slot& slot) {
  const std::optional<WallTime> now = server_.now();
  if (!now) return false;
  const SteadyTime steady = clock_.steady();
  const auto [place, first] = seen_at_.try_emplace(slot.key(), *now, steady);
  if (first) return false;
  const auto [server_before, steady_before] = place->second;
  const auto by_server = *now - server_before;
  const auto by_steady = std::chrono::duration_cast<std::chrono::seconds>(steady - steady_before);
  place->second = {*now, steady};
  return std::chrono::abs(by_server - by_steady) > clock_tolerance;
}

// The slot's record and what people asked for it, in one visit to the disk.
asio::awaitable<Result<std::optional<state::SlotRecord>>> Issuer::look_up(const Slot& slot, Inputs& inputs,
                                                                          bool& verify) {
  Result<std::vector<state::Request>> open;
  const auto read = [this, &slot, &open] {
    open = store_.open_requests();
    return store_.slot(slot.key());
  };
  Result<std::optional<state::SlotRecord>> record = co_await async::offload(disk_, read);
  std::vector<state::Request>& mine = requests_[slot.key()];
  mine.clear();
  if (!open) co_return record;
  for (state::Request& request : *open) {
    if (request.organization != slot.organization_name || request.name != slot.declared_name) continue;
    const bool rotate = request.kind == state::Request::Kind::rotate;
    inputs.rotation_asked = inputs.rotation_asked || rotate;
    verify = verify || !rotate;
    mine.push_back(std::move(request));
  }
  co_return record;
}

asio::awaitable<void> Issuer::answer(const state::SlotKey& key, state::Request::Kind kind, state::Request::State state,
                                     std::string text) {
  const auto mine = requests_.find(key);
  if (mine == requests_.end()) co_return;
  std::vector<std::int64_t> ids;
  for (const state::Request& request : mine->second)
    if (request.kind == kind) ids.push_back(request.id);
  if (ids.empty()) co_return;
  std::erase_if(mine->second, [&](const state::Request& request) { return request.kind == kind; });
  const auto write = [this, &ids, state, &text] {
    for (const std::int64_t id : ids)
      if (Status written = store_.answer(id, state, text); !written) return written;
    return Status{};
  };
  Status written = co_await async::offload(disk_, write);
  if (!written) log_.warning("request not answered", {{"err", written.error().describe()}});
}

// A key whose token is listed and whose fingerprint is the marker's is almost certainly alive; asking costs Grafana a
// password hash. So a restart does not ask about all of a thousand keys at once, but in turn.
bool Issuer::may_ask_now() {
  const SteadyTime now = clock_.steady();
  while (!asked_.empty() && now - asked_.front() >= settings_.refusal_confirmation) asked_.pop_front();
  return asked_.size() < std::max(settings_.verify_burst, verifications_.size() / 10);
}

asio::awaitable<Proof> Issuer::prove(const Slot& slot, const Secret& key, bool now) {
  Verification& seen = verifications_[slot.key()];
  const std::string fingerprint = fingerprint_of(key);
  if (seen.fingerprint != fingerprint) seen = Verification{fingerprint};
  if (!now && seen.alive && clock_.steady() - *seen.alive < settings_.verify_interval) co_return Proof::alive;
  // Who never answers clearly (a disabled account) must not take the turn of the others.
  const bool lately = seen.asked && clock_.steady() - *seen.asked < settings_.unclear_interval;
  if (!now && !seen.first_refused && (lately || !may_ask_now())) co_return Proof::none;
  asked_.push_back(clock_.steady());
  co_return co_await ask_whose_key(slot, key);
}

void Issuer::tell_answer(const Slot& slot, const Result<grafana::Identity>& owner) const {
  if (observer_ == nullptr) return;
  const bool refused = !owner && owner.error().code == ErrorCode::unauthenticated;
  if (!owner || !owner->is_key()) return observer_->key_verified(refused ? Answer::invalid : Answer::unclear);
  const bool ours = owner->account == slot.account && owner->organization == slot.identity.organization;
  observer_->key_verified(ours ? Answer::ok : Answer::mismatch);
}

// Rule E: one refusal (or one answer that names another account) is not enough (Grafana in the middle of a restart), a
// disabled account's key is not lost, and no answer says nothing.
asio::awaitable<Proof> Issuer::ask_whose_key(const Slot& slot, const Secret& key) {
  Result<grafana::Identity> owner = co_await server_.whose_key(key);
  tell_answer(slot, owner);
  Verification& seen = verifications_[slot.key()];
  // What was proven of another key says nothing of this one.
  const std::string fingerprint = fingerprint_of(key);
  if (seen.fingerprint != fingerprint) seen = Verification{fingerprint};
  const SteadyTime now = clock_.steady();
  seen.asked = now;
  const auto confirmed = [&](Proof proof) {
    seen.alive.reset();
    seen.alive_at.reset();
    if (!seen.first_refused) seen.first_refused = now;
    return now - *seen.first_refused >= settings_.refusal_confirmation ? proof : Proof::none;
  };
  if (owner && !owner->is_key()) co_return Proof::none;  // somebody between us and Grafana answers for another login
  if (owner && (owner->account != slot.account || owner->organization != slot.identity.organization))
    co_return confirmed(Proof::wrong_account);
  if (owner) {
    seen.alive = now;
    seen.alive_at = server_.now();
    seen.first_refused.reset();
    co_return Proof::alive;
  }
  const Error& error = owner.error();
  if (error.code != ErrorCode::unauthenticated || error.server_code == "identity.disabled") co_return Proof::none;
  co_return confirmed(Proof::refused);
}

std::string Issuer::fingerprint_of(const Secret& key) const { return sink::fingerprint(store_.salt(), key); }

asio::awaitable<Result<std::optional<state::SlotRecord>>> Issuer::load(const Slot& slot) {
  const auto read = [this, &slot] { return store_.slot(slot.key()); };
  co_return co_await async::offload(disk_, read);
}

}  // namespace graft::token
