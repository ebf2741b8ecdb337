// The crash-safe procedure around the decision: the only code that makes a token, hands its key over, or deletes one.
//
// Order of durable steps (tokens.md 2.5): sink probed → intent in the store → POST → "delivering" in the store →
// marker, then key in the sink → read back and asked of Grafana → "delivered" in the store. A crash between any two of
// them is recovered by decide() from what Grafana, the sink and the store say. Keys live in Secret only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "grafana/service_accounts.hpp"
#include "sink/sink.hpp"
#include "state/store.hpp"
#include "token/name.hpp"
#include "token/slot.hpp"

namespace graft::token {

namespace asio = boost::asio;

// One declared token, and where its account is; `account` is 0 as long as the account does not exist.
struct Slot {
  SlotIdentity identity;
  AccountId account;
  std::int64_t account_tokens = 0;          // how many the account search counts: what a complete list must hold
  std::optional<std::chrono::seconds> ttl;  // nullopt: never expires
  Policy policy;
  sink::Sink* sink = nullptr;  // lives as long as the slot is worked on

  [[nodiscard]] state::SlotKey key() const { return {identity.organization, identity.account_login, identity.token}; }
  [[nodiscard]] std::string name() const;  // "<organization id>/<account login>/<token>"
};

struct IssuerSettings {
  std::chrono::seconds verify_interval{600};  // a key that was alive is asked about so seldom
  std::size_t verify_burst = 10;              // keys asked about in half a minute, or a tenth of all if that is more
  std::chrono::seconds refusal_confirmation{30};  // a refused key counts as dead when refused again so much later
  int delivery_tries = 3;
  std::chrono::milliseconds delivery_pause{500};  // doubled per try
};

class Issuer {
 public:
  // `disk` runs what blocks (store, sinks); it has one thread.
  Issuer(grafana::Api& api, state::Store& store, asio::thread_pool& disk, Clock& clock, Log& log,
         IssuerSettings settings = {});

  using TokenList = Result<std::vector<grafana::Token>>;
  // Grafana's list for the slot's account: one request, good for all slots of it.
  [[nodiscard]] asio::awaitable<TokenList> list(const Slot& slot);
  // Reads the rest of what decide() wants. Never fails: what could not be read is said in the inputs.
  [[nodiscard]] asio::awaitable<Inputs> gather(const Slot& slot, const TokenList& tokens);
  // Carries out step issue or revoke. Runs to its end although the caller is cancelled.
  [[nodiscard]] asio::awaitable<Status> carry_out(const Slot& slot, const Decision& decision);

 private:
  struct Fresh;  // a token just made
  asio::awaitable<void> gather_sink(const Slot& slot, Inputs& inputs);
  asio::awaitable<Proof> prove(const Slot& slot, const sink::Reading& reading);
  asio::awaitable<Proof> ask_whose_key(const Slot& slot, const sink::Reading& reading);
  [[nodiscard]] bool may_ask_now();
  asio::awaitable<Status> act(const Slot& slot, Decision decision);
  asio::awaitable<Status> revoke(const Slot& slot, const std::vector<TokenId>& tokens);
  asio::awaitable<Status> issue(const Slot& slot, std::uint32_t generation);
  asio::awaitable<Status> deliver(const Slot& slot, Fresh& fresh);
  asio::awaitable<Status> put_with_retries(const Slot& slot, Fresh& fresh, const sink::Marker& marker);
  asio::awaitable<Status> give_up(const Slot& slot, Fresh& fresh, Error why);
  asio::awaitable<Status> verify(const Slot& slot, Fresh& fresh);
  asio::awaitable<Status> record(const Slot& slot, state::SlotRecord record);

  struct Verification {
    std::string fingerprint;
    std::optional<SteadyTime> alive, first_refused;
  };

  grafana::Api& api_;
  state::Store& store_;
  asio::thread_pool& disk_;
  Clock& clock_;
  Log& log_;
  IssuerSettings settings_;
  std::map<state::SlotKey, Verification> verifications_;  // memory only: a restart asks anew
  std::deque<SteadyTime> asked_;                          // of late
};

}  // namespace graft::token
