// The crash-safe procedure around the decision: the only code that makes a token, hands its key over, or deletes one.
//
// Order of durable steps (tokens.md 2.5): sinks probed → intent in the store → POST → "delivering" in the store →
// marker and key in each sink → read back and asked of Grafana → "delivered" in the store. A crash between any two of
// them is recovered by decide() from what Grafana, the sinks and the store say. Keys live in Secret only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "sink/sink.hpp"
#include "state/store.hpp"
#include "token/name.hpp"
#include "token/observer.hpp"
#include "token/server.hpp"
#include "token/slot.hpp"

namespace graft::token {

// One declared token, and where its account is; `account` is 0 as long as the account does not exist.
struct Slot {
  SlotIdentity identity;
  std::string organization_name, declared_name;  // "apiorg", "test/test-token": what people call it
  AccountId account;
  std::int64_t account_tokens = 0;  // how many the account search counts: what a complete list must hold
  Policy policy;
  std::vector<sink::Sink*> sinks;  // as declared, at least one; they live as long as the slot is worked on

  [[nodiscard]] state::SlotKey key() const { return {identity.organization, identity.account_login, identity.token}; }
  [[nodiscard]] std::string name() const;  // "<organization id>/<account login>/<token>"
};

struct IssuerSettings {
  bool read_only = false;                     // a plan: nothing is noted in the store, no request is answered
  std::size_t reissues_per_minute = 10;       // that were not planned, of all slots together (rule F)
  std::chrono::seconds verify_interval{600};  // a key that was alive is asked about so seldom
  std::size_t verify_burst = 10;              // keys asked about in half a minute, or a tenth of all if that is more
  std::chrono::seconds refusal_confirmation{30};  // a refused key counts as dead when refused again so much later
  std::chrono::seconds unclear_interval{120};     // a key that was neither taken nor refused is asked about so seldom
  int delivery_tries = 3;
  std::chrono::milliseconds delivery_pause{500};  // doubled per try
};

class Issuer {
 public:
  // `disk` runs the store's calls, which block; it has one thread. nullptr: they block the caller (tests).
  Issuer(Server& server, state::Store& store, asio::thread_pool* disk, Clock& clock, Log& log,
         IssuerSettings settings = {});

  void observe(Observer* observer) { observer_ = observer; }  // null: nobody wants to know

  using TokenList = Result<std::vector<grafana::Token>>;
  // Grafana's list for the slot's account: one request, good for all slots of it.
  [[nodiscard]] asio::awaitable<TokenList> list(const Slot& slot);
  // Reads the rest of what decide() wants, and notes in the store what was seen. Never fails: what could not be read is
  // said in the inputs.
  [[nodiscard]] asio::awaitable<Inputs> gather(const Slot& slot, const TokenList& tokens);
  // Carries out step issue, spread or revoke. Runs to its end although the caller is cancelled.
  [[nodiscard]] asio::awaitable<Status> carry_out(const Slot& slot, const Decision& decision);

 private:
  struct Fresh;  // a token just made
  struct Verification {
    std::string fingerprint;
    std::optional<SteadyTime> asked = {}, alive = {}, first_refused = {};
    std::optional<WallTime> alive_at = {};  // server time of `alive`
  };
  using Change = std::function<void(state::SlotRecord&)>;

  asio::awaitable<void> read_sinks(const Slot& slot, Inputs& inputs, std::vector<sink::Reading>& readings);
  void attribute(const Slot& slot, const sink::Reading& reading, SinkInputs& out, const Inputs& inputs) const;
  asio::awaitable<void> note(const Slot& slot, Inputs& inputs, const std::vector<sink::Reading>& readings);
  void note_sinks(const Slot& slot, Inputs& inputs, const std::vector<sink::Reading>& readings,
                  state::SlotRecord& record);
  void note_key(const Inputs& inputs, const std::vector<sink::Reading>& readings, const Slot& slot,
                state::SlotRecord& record) const;
  bool clock_jumped(const Slot& slot);
  asio::awaitable<Result<std::optional<state::SlotRecord>>> look_up(const Slot& slot, Inputs& inputs, bool& verify);
  asio::awaitable<void> answer(const state::SlotKey& key, state::Request::Kind kind, state::Request::State state,
                               std::string text);

  asio::awaitable<Proof> prove(const Slot& slot, const Secret& key, bool now);
  asio::awaitable<Proof> ask_whose_key(const Slot& slot, const Secret& key);
  [[nodiscard]] bool may_ask_now();
  [[nodiscard]] std::string fingerprint_of(const Secret& key) const;

  asio::awaitable<Status> act(const Slot& slot, Decision decision);
  asio::awaitable<Status> step(const Slot& slot, const Decision& decision);
  asio::awaitable<Status> probe(const Slot& slot);
  asio::awaitable<Status> within_budget();
  asio::awaitable<void> not_counted(const Slot& slot, std::optional<WallTime> reissued_at);
  asio::awaitable<Status> revoke(const Slot& slot, const std::vector<TokenId>& tokens);
  asio::awaitable<Status> issue(const Slot& slot, const Decision& decision);
  asio::awaitable<Status> deliver(const Slot& slot, Fresh& fresh);
  asio::awaitable<Status> put_everywhere(const Slot& slot, Fresh& fresh);
  asio::awaitable<Status> put_with_retries(const Slot& slot, sink::Sink& sink, const Secret& key,
                                           const sink::Marker& marker);
  asio::awaitable<Status> not_delivered(const Slot& slot, Fresh& fresh, Error why);
  asio::awaitable<Status> confirm(const Slot& slot, Fresh& fresh);
  asio::awaitable<Status> spread(const Slot& slot, const Decision& decision);
  asio::awaitable<Status> spread_to(const Slot& slot, sink::Sink& target, const Secret& key,
                                    const sink::MarkerEntry& entry);
  asio::awaitable<Result<std::optional<state::SlotRecord>>> load(const Slot& slot);
  asio::awaitable<Status> change(const Slot& slot, Change change);

  void tell_delivered(const sink::Sink& sink) const;
  void tell_not_delivered(const sink::Sink& sink, const Error& why) const;
  void tell_answer(const Slot& slot, const Result<grafana::Identity>& owner) const;
  void tell_orphans(std::size_t count) const;

  Server& server_;
  state::Store& store_;
  Observer* observer_ = nullptr;
  asio::thread_pool* disk_;
  Clock& clock_;
  Log& log_;
  IssuerSettings settings_;
  // Memory only: a restart asks anew.
  std::map<state::SlotKey, Verification> verifications_;
  std::map<state::SlotKey, std::vector<state::Request>> requests_;     // open ones, as of the last gather
  std::deque<SteadyTime> asked_, reissued_;                            // of late
  std::map<state::SlotKey, std::pair<WallTime, SteadyTime>> seen_at_;  // server and steady time of the last gather
};

}  // namespace graft::token
