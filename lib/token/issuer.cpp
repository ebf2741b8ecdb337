#include "token/issuer.hpp"

#include <fmt/format.h>

#include "async/deadline.hpp"
#include "async/offload.hpp"
#include "async/uncancellable.hpp"
#include "base/hash.hpp"
#include "grafana/organizations.hpp"

namespace graft::token {

namespace {

constexpr std::size_t marker_entries = 3;
constexpr std::size_t salt_bytes = 16;

Error in_slot(Error error, const Slot& slot) {
  return std::move(error).context(fmt::format("token {}/{}", slot.identity.account_login, slot.identity.token));
}

// The marker that names the new key besides the last ones: it is written before the key is, so both must be in it.
sink::Marker next_marker(const Slot& slot, std::optional<sink::Marker> old) {
  sink::Marker marker;
  if (old && old->owner == slot.identity.owner && old->slot == slot.name()) {
    marker = std::move(*old);
  } else {
    marker.salt = random_hex(salt_bytes);
  }
  marker.owner = slot.identity.owner;
  marker.slot = slot.name();
  return marker;
}

// Whether the sink holds this very key, by the fingerprint of the marker beside it.
bool holds(const sink::Reading& reading, const Secret& key) {
  return reading.state == sink::KeyState::present && reading.marker &&
         reading.fingerprint == sink::fingerprint(reading.marker->salt, key);
}

// The same key once more, which gives the file its declared mode and owner in one step.
Status rewrite(sink::Sink& sink) {
  Result<sink::Reading> reading = sink.read();
  if (!reading) return fail(std::move(reading.error()));
  if (reading->state != sink::KeyState::present || !reading->marker)
    return fail(Error(ErrorCode::conflict, "the key file was changed meanwhile; the next cycle looks again").retry());
  return sink.put(reading->key, *reading->marker);
}

}  // namespace

struct Issuer::Fresh {
  std::uint32_t generation;
  grafana::NewToken token;
};

std::string Slot::name() const {
  return fmt::format("{}/{}/{}", identity.organization.value(), identity.account_login, identity.token);
}

Issuer::Issuer(grafana::Api& api, state::Store& store, asio::thread_pool& disk, Clock& clock, Log& log,
               IssuerSettings settings)
    : api_(api), store_(store), disk_(disk), clock_(clock), log_(log), settings_(settings) {}

asio::awaitable<Status> Issuer::carry_out(const Slot& slot, const Decision& decision) {
  // A key that Grafana has shown must reach its sink, whatever becomes of us meanwhile.
  co_return co_await async::uncancellable(act(slot, decision));
}

asio::awaitable<Status> Issuer::act(const Slot& slot, Decision decision) {
  if (decision.step == Step::issue) {
    const auto probe = [&slot] { return slot.sink->probe(); };
    Status writable = co_await async::offload(disk_, probe);
    if (!writable) co_return fail(in_slot(std::move(writable.error()), slot));
  }
  if (decision.step == Step::rewrite) {
    const auto again = [&slot] { return rewrite(*slot.sink); };
    Status written = co_await async::offload(disk_, again);
    if (!written) co_return fail(in_slot(std::move(written.error()), slot));
    co_return written;
  }
  Status revoked = co_await revoke(slot, decision.revoke);
  if (!revoked || decision.step != Step::issue) co_return revoked;
  Status issued = co_await issue(slot, decision.generation);
  if (!issued) co_return fail(in_slot(std::move(issued.error()), slot));
  co_return issued;
}

asio::awaitable<Status> Issuer::revoke(const Slot& slot, const std::vector<TokenId>& tokens) {
  for (const TokenId id : tokens) {
    Status deleted = co_await grafana::delete_token(api_, slot.identity.organization, slot.account, id);
    if (!deleted) co_return fail(in_slot(std::move(deleted.error()), slot));
    log_.info("token deleted", {{"slot", slot.name()}, {"token_id", std::to_string(id.value())}});
  }
  co_return Status{};
}

asio::awaitable<Status> Issuer::record(const Slot& slot, state::SlotRecord record) {
  const auto write = [this, &slot, record] { return store_.put_slot(slot.key(), record); };
  Status written = co_await async::offload(disk_, write);
  if (!written) {
    Error error = std::move(written.error());
    co_return fail(std::move(error).context(
        fmt::format("the state store cannot take generation {} of the token", record.generation)));
  }
  co_return Status{};
}

asio::awaitable<Status> Issuer::issue(const Slot& slot, std::uint32_t generation) {
  state::SlotRecord intent{generation, state::Phase::intent, std::nullopt};
  Status recorded = co_await record(slot, intent);
  if (!recorded) co_return recorded;
  const std::string name = generation_name(slot.identity, generation);
  Result<grafana::NewToken> made =
      co_await grafana::create_token(api_, slot.identity.organization, slot.account, name, slot.ttl);
  if (!made) {
    Error error = std::move(made.error());
    if (error.code == ErrorCode::exists || error.code == ErrorCode::ambiguous) {
      error.retryable = true;
      error.hint =
          fmt::format("token {} may exist without anybody holding its key; it is looked at again, and replaced", name);
    }
    co_return fail(std::move(error));
  }
  Fresh fresh{generation, std::move(*made)};
  co_return co_await deliver(slot, fresh);
}

asio::awaitable<Status> Issuer::deliver(const Slot& slot, Fresh& fresh) {
  const auto read = [&slot] { return slot.sink->read(); };
  Result<sink::Reading> before = co_await async::offload(disk_, read);
  sink::Marker marker = next_marker(slot, before ? std::move(before->marker) : std::nullopt);
  sink::MarkerEntry entry;
  entry.fingerprint = sink::fingerprint(marker.salt, fresh.token.key);
  entry.generation = fresh.generation;
  entry.token_id = fresh.token.id;
  entry.delivered_at = api_.server_time().value_or(clock_.wall());
  marker.entries.insert(marker.entries.begin(), std::move(entry));
  if (marker.entries.size() > marker_entries) marker.entries.resize(marker_entries);

  // As late as can be: between this and the key in its sink, a crash leaves a token that only grace may remove.
  state::SlotRecord delivering{fresh.generation, state::Phase::delivering, fresh.token.id};
  Status recorded = co_await record(slot, delivering);
  // Not durable that the key may reach a sink: then it must not, and the token goes.
  if (!recorded) co_return co_await give_up(slot, fresh, std::move(recorded.error()));
  Status put = co_await put_with_retries(slot, fresh, marker);
  if (!put) co_return co_await give_up(slot, fresh, std::move(put.error()));
  Status verified = co_await verify(slot, fresh);
  if (!verified) co_return verified;
  delivering.phase = state::Phase::delivered;
  Status done = co_await record(slot, delivering);
  if (!done) co_return done;
  log_.info("token delivered", {{"slot", slot.name()},
                                {"generation", std::to_string(fresh.generation)},
                                {"token_id", std::to_string(fresh.token.id.value())},
                                {"sink", slot.sink->describe()}});
  co_return Status{};
}

asio::awaitable<Status> Issuer::put_with_retries(const Slot& slot, Fresh& fresh, const sink::Marker& marker) {
  std::chrono::milliseconds pause = settings_.delivery_pause;
  for (int attempt = 1;; ++attempt) {
    const auto write = [&slot, &fresh, &marker] { return slot.sink->put(fresh.token.key, marker); };
    Status put = co_await async::offload(disk_, write);
    if (put || attempt == settings_.delivery_tries) co_return put;
    log_.warning("key not delivered, trying again",
                 {{"slot", slot.name()}, {"sink", slot.sink->describe()}, {"err", put.error().describe()}});
    co_await async::sleep_for(pause);
    pause *= 2;
  }
}

// The key could not be delivered. A write that reported failure may have been done: the sink is asked first, and only a
// token whose key is not there is deleted. The old key, if there is one, was not touched.
asio::awaitable<Status> Issuer::give_up(const Slot& slot, Fresh& fresh, Error why) {
  const auto read = [&slot] { return slot.sink->read(); };
  Result<sink::Reading> reading = co_await async::offload(disk_, read);
  if (!reading) {
    why.hint =
        fmt::format("it is not known whether the key reached {}; the next cycle looks again", slot.sink->describe());
    co_return fail(std::move(why));
  }
  if (holds(*reading, fresh.token.key)) co_return co_await verify(slot, fresh);
  Status deleted = co_await grafana::delete_token(api_, slot.identity.organization, slot.account, fresh.token.id);
  const std::string outcome = deleted ? "the undelivered token was deleted again"
                                      : "the undelivered token could not be deleted; it is superseded later";
  co_return fail(std::move(why).context(fmt::format("key not delivered to {} ({})", slot.sink->describe(), outcome)));
}

asio::awaitable<Status> Issuer::verify(const Slot& slot, Fresh& fresh) {
  const auto read = [&slot] { return slot.sink->read(); };
  Result<sink::Reading> reading = co_await async::offload(disk_, read);
  if (!reading) co_return fail(std::move(reading.error()));
  if (!holds(*reading, fresh.token.key))
    co_return fail(ErrorCode::io,
                   fmt::format("{} does not hold the key that was just written to it", slot.sink->describe()));
  const Proof proof = co_await ask_whose_key(slot, *reading);
  if (proof == Proof::wrong_account)
    co_return fail(ErrorCode::protocol, "the key that Grafana gave belongs to another account or organization");
  if (proof == Proof::refused) co_return fail(ErrorCode::protocol, "Grafana refuses the key that it has just given");
  co_return Status{};
}

}  // namespace graft::token
