// The reading half of the issuer: Grafana's list, the sink, the store, and whether the delivered key is alive.
#include <algorithm>
#include <fmt/format.h>

#include "async/offload.hpp"
#include "grafana/organizations.hpp"
#include "token/issuer.hpp"

namespace graft::token {

namespace {

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
        "is "
        "not there",
        tokens->size(), slot.account_tokens);
    return;
  }
  for (const grafana::Token& token : *tokens)
    if (const auto generation = recognise(slot.identity, token.name))
      inputs.tokens.push_back(listed(token, *generation));
}

}  // namespace

asio::awaitable<Issuer::TokenList> Issuer::list(const Slot& slot) {
  // The account was looked for and is not there: it has no tokens.
  if (slot.account.value() == 0) co_return std::vector<grafana::Token>();
  co_return co_await grafana::list_tokens(api_, slot.identity.organization, slot.account);
}

asio::awaitable<Inputs> Issuer::gather(const Slot& slot, const TokenList& tokens) {
  Inputs inputs;
  const auto load = [this, &slot] { return store_.slot(slot.key()); };
  Result<std::optional<state::SlotRecord>> record = co_await async::offload(disk_, load);
  take_list(slot, tokens, inputs);
  if (record) {
    inputs.record = *record;
  } else {
    // Without the store's word nothing counts as undelivered; but an unreadable store also cannot take an intent.
    inputs.list_problem = record.error().describe();
  }
  co_await gather_sink(slot, inputs);
  inputs.server_now = api_.server_time();
  co_return inputs;
}

asio::awaitable<void> Issuer::gather_sink(const Slot& slot, Inputs& inputs) {
  const auto read = [&slot] { return slot.sink->read(); };
  Result<sink::Reading> reading = co_await async::offload(disk_, read);
  if (!reading) {
    inputs.sink_problem = reading.error().describe();
    co_return;
  }
  inputs.key_state = reading->state;
  inputs.key_problem = reading->problem;
  inputs.access_found = reading->access_found;
  inputs.access_wanted = reading->access_wanted;
  if (reading->marker && reading->marker->slot == slot.name() && reading->marker->owner == slot.identity.owner) {
    for (const sink::MarkerEntry& entry : reading->marker->entries) {
      inputs.marker_generation = std::max(inputs.marker_generation, entry.generation);
      if (reading->state == sink::KeyState::present && entry.fingerprint == reading->fingerprint)
        inputs.key_entry = entry;
    }
  }
  if (inputs.key_entry && slot.account.value() > 0) inputs.proof = co_await prove(slot, *reading);
}

// A key whose token is listed and whose fingerprint is the marker's is almost certainly alive; asking costs Grafana a
// password hash. So a restart does not ask about all of a thousand keys at once, but in turn.
bool Issuer::may_ask_now() {
  const SteadyTime now = clock_.steady();
  while (!asked_.empty() && now - asked_.front() >= settings_.refusal_confirmation) asked_.pop_front();
  return asked_.size() < std::max(settings_.verify_burst, verifications_.size() / 10);
}

asio::awaitable<Proof> Issuer::prove(const Slot& slot, const sink::Reading& reading) {
  Verification& seen = verifications_[slot.key()];
  if (seen.fingerprint != reading.fingerprint) seen = Verification{reading.fingerprint, std::nullopt, std::nullopt};
  if (seen.alive && clock_.steady() - *seen.alive < settings_.verify_interval) co_return Proof::alive;
  if (!seen.first_refused && !may_ask_now()) co_return Proof::none;
  asked_.push_back(clock_.steady());
  co_return co_await ask_whose_key(slot, reading);
}

// Rule E: one refusal (or one answer that names another account) is not enough (Grafana in the middle of a restart), a
// disabled account's key is not lost, and no answer says nothing.
asio::awaitable<Proof> Issuer::ask_whose_key(const Slot& slot, const sink::Reading& reading) {
  Result<grafana::Identity> owner = co_await grafana::whose_key(api_, reading.key);
  Verification& seen = verifications_[slot.key()];
  seen.fingerprint = reading.fingerprint;
  const SteadyTime now = clock_.steady();
  const auto confirmed = [&](Proof proof) {
    seen.alive.reset();
    if (!seen.first_refused) seen.first_refused = now;
    return now - *seen.first_refused >= settings_.refusal_confirmation ? proof : Proof::none;
  };
  if (owner && !owner->is_key()) co_return Proof::none;  // somebody between us and Grafana answers for another login
  if (owner && (owner->account != slot.account || owner->organization != slot.identity.organization))
    co_return confirmed(Proof::wrong_account);
  if (owner) {
    seen.alive = now;
    seen.first_refused.reset();
    co_return Proof::alive;
  }
  const Error& error = owner.error();
  if (error.code != ErrorCode::unauthenticated || error.server_code == "identity.disabled") co_return Proof::none;
  co_return confirmed(Proof::refused);
}

}  // namespace graft::token
