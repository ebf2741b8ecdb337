#include "token/issuer.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "async/deadline.hpp"
#include "async/offload.hpp"
#include "async/uncancellable.hpp"
#include "base/hash.hpp"
#include "sink/marker.hpp"

namespace graft::token {

namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::chrono::seconds budget_window{60};

Error in_slot(Error error, const Slot& slot) {
  return std::move(error).context(fmt::format("token {}", slot.declared_name));
}

// The marker that names one key more besides the last ones: it may be written before the key is, so both must be in it.
sink::Marker next_marker(const Slot& slot, const sink::Reading& before, const Secret& key, sink::MarkerEntry entry) {
  const std::optional<sink::Marker>& old = before.marker;
  sink::Marker marker;
  if (old && old->owner == slot.identity.owner && old->slot == slot.name()) {
    marker = *old;
  } else {
    marker.salt = random_hex(salt_bytes);
  }
  marker.owner = slot.identity.owner;
  marker.slot = slot.name();
  entry.fingerprint = sink::fingerprint(marker.salt, key);
  std::erase_if(marker.entries, [&](const sink::MarkerEntry& one) { return one.fingerprint == entry.fingerprint; });
  marker.entries.insert(marker.entries.begin(), std::move(entry));
  // The oldest go, but never the one that names what lies there now: writes that fail must not push it out.
  for (std::size_t i = marker.entries.size(); i-- > 1 && marker.entries.size() > sink::marker_entries;)
    if (marker.entries[i].fingerprint != before.fingerprint || before.fingerprint.empty())
      marker.entries.erase(marker.entries.begin() + static_cast<std::ptrdiff_t>(i));
  return marker;
}

// Whether the sink holds this very key, by the fingerprint of the marker beside it.
bool holds(const sink::Reading& reading, const Secret& key) {
  return reading.state == sink::KeyState::present && reading.marker &&
         reading.fingerprint == sink::fingerprint(reading.marker->salt, key);
}

std::string names_of(const std::vector<sink::Sink*>& sinks) {
  std::string names;
  for (const sink::Sink* sink : sinks) names += (names.empty() ? "" : ", ") + sink->describe();
  return names;
}

}  // namespace

// A token just made, its key, and what became of handing it over.
struct Issuer::Fresh {
  std::uint32_t generation;
  grafana::NewToken token;
  std::vector<sink::Sink*> reached = {};      // sinks that hold the key, by their own word
  std::vector<state::SinkRecord> sinks = {};  // of those
  bool unknown = false;                       // a sink may hold the key, and does not say so
  WallTime delivered_at = {};
  std::optional<WallTime> counted = {};  // when it was noted as a replacement without a plan
};

std::string Slot::name() const {
  return fmt::format("{}/{}/{}", identity.organization.value(), identity.account_login, identity.token);
}

Issuer::Issuer(Server& server, state::Store& store, asio::thread_pool* disk, Clock& clock, Log& log,
               IssuerSettings settings)
    : server_(server), store_(store), disk_(disk), clock_(clock), log_(log), settings_(settings) {}

asio::awaitable<Status> Issuer::carry_out(const Slot& slot, const Decision& decision) {
  // A key that Grafana has shown must reach its sink, whatever becomes of us meanwhile.
  co_return co_await async::uncancellable(act(slot, decision));
}

asio::awaitable<Status> Issuer::act(const Slot& slot, Decision decision) {
  Status done = co_await step(slot, decision);
  if (!done) {
    done = fail(in_slot(std::move(done.error()), slot));
    // For graftd tokens list. That it cannot be noted is said by the error itself.
    (void)co_await change(slot, [&](state::SlotRecord& record) { record.problem = done.error().describe(); });
  }
  if (decision.step == Step::issue) {
    const auto state = done ? state::Request::State::done : state::Request::State::failed;
    std::string text = done ? fmt::format("generation {} is delivered to {}", decision.generation, names_of(slot.sinks))
                            : done.error().describe();
    co_await answer(slot.key(), state::Request::Kind::rotate, state, std::move(text));
  }
  co_return done;
}

asio::awaitable<Status> Issuer::step(const Slot& slot, const Decision& decision) {
  if (decision.step == Step::issue) {
    Status ready = co_await probe(slot);
    if (ready && decision.unplanned) ready = co_await within_budget();
    if (!ready) co_return ready;
  }
  Status revoked = co_await revoke(slot, decision.revoke);
  if (!revoked) co_return revoked;
  if (decision.step == Step::issue) tell_orphans(decision.revoke.size());
  if (decision.step == Step::spread) co_return co_await spread(slot, decision);
  if (decision.step == Step::issue) co_return co_await issue(slot, decision);
  co_return revoked;
}

// Before a key exists that could get lost: each sink can take one.
asio::awaitable<Status> Issuer::probe(const Slot& slot) {
  for (sink::Sink* sink : slot.sinks) {
    Status writable = co_await sink->probe();
    if (!writable) tell_not_delivered(*sink, writable.error());
    if (!writable) co_return fail(std::move(writable.error()).context(sink->describe()));
  }
  co_return Status{};
}

// Rule F over all slots: counted in the store, so that restarts do not reset it.
asio::awaitable<Status> Issuer::within_budget() {
  const auto read = [this] { return store_.slots(); };
  const auto slots = co_await async::offload(disk_, read);
  if (!slots) co_return fail(slots.error());
  const std::optional<WallTime> now = server_.now();
  if (!now) co_return Status{};
  std::size_t recent = 0;
  for (const auto& [key, record] : *slots)
    recent += static_cast<std::size_t>(std::ranges::count_if(
        record.reissues, [&](WallTime time) { return std::chrono::abs(*now - time) < budget_window; }));
  const SteadyTime steady = clock_.steady();
  while (!reissued_.empty() && steady - reissued_.front() >= budget_window) reissued_.pop_front();
  recent = std::max(recent, reissued_.size());
  if (recent < settings_.reissues_per_minute) {
    // Taken at once: other organizations may be between this and their note in the store.
    reissued_.push_back(steady);
    co_return Status{};
  }
  co_return fail(Error(ErrorCode::blocked,
                       fmt::format("{} tokens were replaced within the last minute without a plan, which is as many as "
                                   "may be (tokens.reissuesPerMinute); this one has to wait",
                                   recent))
                     .retry());
}

asio::awaitable<Status> Issuer::revoke(const Slot& slot, const std::vector<TokenId>& tokens) {
  for (const TokenId id : tokens) {
    Status deleted = co_await server_.remove(slot.identity.organization, slot.account, id);
    if (!deleted) co_return deleted;
    log_.info("token deleted", {{"slot", slot.name()}, {"token_id", std::to_string(id.value())}});
  }
  co_return Status{};
}

// Read, changed, written. The record of a slot is ours alone: cycles do not overlap, and plans do not write.
asio::awaitable<Status> Issuer::change(const Slot& slot, Change change) {
  const auto write = [this, &slot, &change]() -> Status {
    Result<std::optional<state::SlotRecord>> known = store_.slot(slot.key());
    if (!known) return fail(std::move(known.error()));
    state::SlotRecord record = std::move(*known).value_or(state::SlotRecord{});
    record.organization = slot.organization_name;
    record.name = slot.declared_name;
    change(record);
    return store_.put_slot(slot.key(), record);
  };
  Status written = co_await async::offload(disk_, write);
  if (written) co_return written;
  co_return fail(std::move(written.error()).context("the state store cannot take what is to be done"));
}

asio::awaitable<Status> Issuer::issue(const Slot& slot, const Decision& decision) {
  const WallTime asked_at = server_.now().value_or(clock_.wall());
  Status recorded = co_await change(slot, [&](state::SlotRecord& record) {
    record.generation = decision.generation;
    record.phase = state::Phase::intent;
    record.token_id.reset();
    if (decision.unplanned) record.reissues.push_back(asked_at);
  });
  if (!recorded) co_return recorded;
  if (decision.unplanned)
    log_.warning(
        "token replaced without a plan",
        {{"slot", slot.name()}, {"generation", std::to_string(decision.generation)}, {"reason", decision.reason}});
  const std::string name = generation_name(slot.identity, decision.generation);
  Result<grafana::NewToken> made =
      co_await server_.create(slot.identity.organization, slot.account, name, slot.policy.ttl);
  const std::optional<WallTime> counted = decision.unplanned ? std::optional(asked_at) : std::nullopt;
  if (!made) {
    Error error = std::move(made.error());
    if (error.code != ErrorCode::exists && error.code != ErrorCode::ambiguous) {
      co_await not_counted(slot, counted);
    } else {
      error.retryable = true;
      error.hint =
          fmt::format("token {} may exist without anybody holding its key; it is looked at again, and replaced", name);
    }
    co_return fail(std::move(error));
  }
  Fresh fresh{decision.generation, std::move(*made)};
  fresh.counted = counted;
  co_return co_await deliver(slot, fresh);
}

// Nothing was replaced after all: a Grafana or a sink that is down for a while does not use up the limit.
asio::awaitable<void> Issuer::not_counted(const Slot& slot, std::optional<WallTime> reissued_at) {
  if (!reissued_at) co_return;
  Status noted = co_await change(slot, [&](state::SlotRecord& record) {
    const auto found = std::ranges::find(record.reissues, *reissued_at);
    if (found != record.reissues.end()) record.reissues.erase(found);
  });
  if (!noted) log_.warning("slot not noted", {{"slot", slot.name()}, {"err", noted.error().describe()}});
}

asio::awaitable<Status> Issuer::deliver(const Slot& slot, Fresh& fresh) {
  fresh.delivered_at = server_.now().value_or(clock_.wall());
  // As late as can be: between this and the key in its sink, a crash leaves a token that only grace may remove.
  Status recorded = co_await change(slot, [&](state::SlotRecord& record) {
    record.phase = state::Phase::delivering;
    record.token_id = fresh.token.id;
  });
  // Not durable that the key may reach a sink: then it must not, and the token goes.
  if (!recorded) co_return co_await not_delivered(slot, fresh, std::move(recorded.error()));
  Status put = co_await put_everywhere(slot, fresh);
  if (!put && fresh.reached.empty() && !fresh.unknown)
    co_return co_await not_delivered(slot, fresh, std::move(put.error()));
  if (!put) {
    Error error = std::move(put.error());
    error.hint = fresh.reached.empty() ? "it is not known whether the key reached it; the next cycle looks again"
                                       : fmt::format("the key is in {}; the next cycle writes it into the others",
                                                     names_of(fresh.reached));
    co_return fail(std::move(error));
  }
  co_return co_await confirm(slot, fresh);
}

// Every sink, whatever becomes of the one before it; the first error is told.
asio::awaitable<Status> Issuer::put_everywhere(const Slot& slot, Fresh& fresh) {
  Status first_error;
  for (sink::Sink* sink : slot.sinks) {
    Result<sink::Reading> before = co_await sink->read();
    const sink::Reading nothing;
    const sink::Marker marker = next_marker(slot, before ? *before : nothing, fresh.token.key,
                                            {{}, fresh.generation, fresh.token.id, fresh.delivered_at});
    Status put = co_await put_with_retries(slot, *sink, fresh.token.key, marker);
    // A write that reported failure may have been done, and one that reported success may be gone: the sink is asked.
    Result<sink::Reading> after = co_await sink->read();
    if (after && holds(*after, fresh.token.key)) {
      fresh.reached.push_back(sink);
      fresh.sinks.push_back({sink->describe(), after->identity});
      tell_delivered(*sink);
      continue;
    }
    // A write whose reply was lost may still come.
    if (!after || (!put && put.error().code == ErrorCode::ambiguous)) fresh.unknown = true;
    if (put && after) put = fail(ErrorCode::io, "it does not hold the key that was just written to it");
    if (put) put = fail(after.error());
    tell_not_delivered(*sink, put.error());
    if (first_error) first_error = fail(std::move(put.error()).context("key not delivered to " + sink->describe()));
  }
  co_return first_error;
}

asio::awaitable<Status> Issuer::put_with_retries(const Slot& slot, sink::Sink& sink, const Secret& key,
                                                 const sink::Marker& marker) {
  std::chrono::milliseconds pause = settings_.delivery_pause;
  for (int attempt = 1;; ++attempt) {
    Status put = co_await sink.put(key, marker);
    // What somebody else has written meanwhile is not written over by trying again.
    if (put || attempt >= settings_.delivery_tries || put.error().code == ErrorCode::conflict) co_return put;
    log_.warning("key not delivered, trying again",
                 {{"slot", slot.name()}, {"sink", sink.describe()}, {"err", put.error().describe()}});
    if (pause > std::chrono::milliseconds(0)) co_await async::sleep_for(pause);
    pause *= 2;
  }
}

// No sink holds the key, and nobody else ever did: the token is deleted again. The old key, if there is one, was not
// touched. If the deletion fails, the store says that the token is an orphan, which is deleted a minute later.
asio::awaitable<Status> Issuer::not_delivered(const Slot& slot, Fresh& fresh, Error why) {
  Status noted = co_await change(slot, [&](state::SlotRecord& record) {
    record.generation = fresh.generation;
    record.phase = state::Phase::intent;
    record.token_id.reset();
  });
  Status deleted = co_await server_.remove(slot.identity.organization, slot.account, fresh.token.id);
  if (deleted) tell_orphans(1);
  if (deleted) co_await not_counted(slot, fresh.counted);
  const std::string outcome = deleted ? "the fresh token was deleted again, an older key is untouched"
                              : noted ? "the fresh token could not be deleted; it is when it is a minute old"
                                      : "the fresh token could not be deleted; it is looked at again";
  co_return fail(std::move(why).context(outcome));
}

// The key is in every sink: whose is it? Unless Grafana clearly says that it is not this account's, it is in use; the
// cycles that follow go on asking, and the old token lives until the answer is yes.
asio::awaitable<Status> Issuer::confirm(const Slot& slot, Fresh& fresh) {
  const Proof proof = co_await ask_whose_key(slot, fresh.token.key);
  if (proof == Proof::wrong_account)
    co_return fail(ErrorCode::protocol, "the key that Grafana gave belongs to another account or organization");
  if (proof == Proof::refused) co_return fail(ErrorCode::protocol, "Grafana refuses the key that it has just given");
  Status done = co_await change(slot, [&](state::SlotRecord& record) {
    record.phase = state::Phase::delivered;
    record.token_id = fresh.token.id;
    record.sinks = std::move(fresh.sinks);
    record.in_use.emplace();
    record.in_use->generation = fresh.generation;
    record.in_use->token_id = fresh.token.id;
    record.in_use->fingerprint = fingerprint_of(fresh.token.key);
    record.in_use->ttl = slot.policy.ttl;
    record.in_use->delivered_at = fresh.delivered_at;
    if (proof == Proof::alive) record.in_use->verified_at = server_.now();
    if (slot.policy.ttl) {
      ListedToken token;
      token.id = fresh.token.id;
      token.expiration = fresh.delivered_at + *slot.policy.ttl;  // to be corrected by Grafana's list
      record.in_use->expires_at = token.expiration;
      record.in_use->rotates_at = rotation_due(token, slot.policy);
    }
    record.problem.clear();
  });
  if (!done) co_return done;
  log_.info("token delivered", {{"slot", slot.name()},
                                {"generation", std::to_string(fresh.generation)},
                                {"token_id", std::to_string(fresh.token.id.value())},
                                {"sink", names_of(fresh.reached)}});
  co_return Status{};
}

void Issuer::tell_delivered(const sink::Sink& sink) const {
  if (observer_ != nullptr) observer_->key_delivered(sink.describe());
}

void Issuer::tell_not_delivered(const sink::Sink& sink, const Error& why) const {
  if (observer_ != nullptr) observer_->key_not_delivered(sink.describe(), why.code);
}

void Issuer::tell_orphans(std::size_t count) const {
  for (std::size_t i = 0; observer_ != nullptr && i < count; ++i) observer_->orphan_removed();
}

// The key that is in use, once more into sinks that lack it or show it to the wrong people.
asio::awaitable<Status> Issuer::spread(const Slot& slot, const Decision& decision) {
  if (decision.from >= slot.sinks.size()) co_return fail(ErrorCode::internal, "a plan names a sink that is not there");
  Result<sink::Reading> source = co_await slot.sinks[decision.from]->read();
  if (!source) co_return fail(std::move(source.error()));
  const Result<std::optional<state::SlotRecord>> record = co_await load(slot);
  if (!record) co_return fail(record.error());
  // Still the key that was decided about? The record is that of the same cycle's gather.
  const bool same = source->state == sink::KeyState::present && *record && (*record)->in_use &&
                    (*record)->in_use->generation == decision.generation &&
                    (*record)->in_use->fingerprint == fingerprint_of(source->key);
  if (!same)
    co_return fail(Error(ErrorCode::conflict, "the key was changed meanwhile; the next cycle looks again").retry());
  const state::DeliveredKey& in_use = *(*record)->in_use;
  const WallTime now = server_.now().value_or(clock_.wall());
  Status first_error;
  for (const std::size_t index : decision.to) {
    if (index >= slot.sinks.size()) continue;
    // Where it lay already, it was delivered when it was; elsewhere, it is delivered now.
    const sink::MarkerEntry entry{
        {}, in_use.generation, in_use.token_id, index == decision.from ? in_use.delivered_at : now};
    Status put = co_await spread_to(slot, *slot.sinks[index], source->key, entry);
    if (!put) tell_not_delivered(*slot.sinks[index], put.error());
    if (!put && first_error) first_error = fail(std::move(put.error()).context(slot.sinks[index]->describe()));
  }
  co_return first_error;
}

asio::awaitable<Status> Issuer::spread_to(const Slot& slot, sink::Sink& target, const Secret& key,
                                          const sink::MarkerEntry& entry) {
  Result<sink::Reading> before = co_await target.read();
  if (!before) co_return fail(std::move(before.error()));
  const sink::Marker marker = next_marker(slot, *before, key, entry);
  Status put = co_await put_with_retries(slot, target, key, marker);
  if (!put) co_return put;
  Result<sink::Reading> after = co_await target.read();
  if (!after) co_return fail(std::move(after.error()));
  if (!holds(*after, key)) co_return fail(ErrorCode::io, "it does not hold the key that was just written to it");
  if (after->access_found != after->access_wanted)
    co_return fail(Error(ErrorCode::io, fmt::format("the key was written, but it has {} instead of {}",
                                                    after->access_found, after->access_wanted))
                       .with_hint("does its file system keep owners and modes?"));
  tell_delivered(target);
  log_.info("key written again",
            {{"slot", slot.name()}, {"generation", std::to_string(entry.generation)}, {"sink", target.describe()}});
  const std::string name = target.describe();
  co_return co_await change(slot, [&](state::SlotRecord& record) {
    const auto known = std::ranges::find(record.sinks, name, &state::SinkRecord::name);
    if (known == record.sinks.end()) {
      record.sinks.push_back({name, after->identity});
    } else {
      known->identity = after->identity;
    }
  });
}

}  // namespace graft::token
