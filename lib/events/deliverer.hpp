// Takes events from the outbox to the webhook: at least once, each until a 2xx was read or a day has passed.
//
// In the order of their ids. A receiver that has trouble gets nothing until the wait of the event that met it is over,
// and that event is the first to be tried then; one that refuses a single event gets the others meanwhile
// (backoff.hpp). After a restart an event that waits may be overtaken by younger ones: receivers order by "time".
//
// Runs on the loop of its caller; the store is visited on a thread pool. A cancelled delivery leaves the event where it
// is. What could not be taken out of the outbox after its 2xx (a full disk) is remembered and not sent again by this
// Deliverer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "events/backoff.hpp"
#include "events/signature.hpp"
#include "http/transport.hpp"
#include "state/history.hpp"

namespace boost::asio {
class thread_pool;
}

namespace graft::events {

namespace asio = boost::asio;

struct DelivererSettings {
  std::string target = "/";                    // WebhookUrl::target
  std::size_t batch = 20;                      // events taken from the store at once
  std::chrono::milliseconds timeout{5'000};    // of one attempt
  std::chrono::seconds give_up_after{86'400};  // since the event
  Pace pace = {};
  std::chrono::seconds longest_rest{60};  // of run(), when nothing is due
};

struct Delivered {
  std::size_t delivered = 0, failed = 0;  // attempts
  std::size_t given_up = 0;               // events that were too old
};

// Since the start; for status and metrics.
struct DeliveryStatus {
  std::uint64_t delivered = 0, failed = 0, given_up = 0;
  std::optional<WallTime> last_success = {}, failing_since = {};
  std::string problem;  // of the last attempt, for people; empty: it went well
};

// What a transport to a webhook must be told beside origin and TLS files: Endpoint::refuse_link_local and
// Endpoint::status_suffices are true, Endpoint::body_limit is small.
class Deliverer {
 public:
  // All that is referred to outlives it. `disk` may be null: the store is visited here and now, for tests.
  Deliverer(state::History& store, http::Transport& transport, SigningKeys keys, DelivererSettings settings,
            asio::thread_pool* disk, Clock& clock, Random& random, Log& log);

  // Sends what is due, batch by batch, until nothing is or the receiver has trouble. Not while another one runs.
  [[nodiscard]] asio::awaitable<Delivered> deliver_due();

  // deliver_due() for ever: at once when woken, else when the next event is due. Ends by cancellation's exception.
  [[nodiscard]] asio::awaitable<void> run();

  // Events were recorded. Call it on the loop's thread.
  void wake();
  // The secret file was read anew; holds from the next attempt on.
  void use(SigningKeys keys) { keys_ = std::move(keys); }

  [[nodiscard]] const DeliveryStatus& status() const { return status_; }

 private:
  enum class Next : std::uint8_t { go_on, stop };

  asio::awaitable<std::size_t> give_up_old();
  asio::awaitable<Next> deliver(const state::Event& event, Delivered& out);
  asio::awaitable<Status> keep_outcome(std::int64_t id, std::optional<WallTime> next_attempt, int attempts);
  asio::awaitable<void> forget_delivered();
  asio::awaitable<std::chrono::milliseconds> rest_until_next();
  void note_success();
  void note_failure(const Result<http::Response>& reply);
  void pause(std::chrono::seconds wait);
  [[nodiscard]] bool paused() const;

  state::History& store_;
  http::Transport& transport_;
  SigningKeys keys_;
  DelivererSettings settings_;
  asio::thread_pool* disk_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  DeliveryStatus status_;
  std::optional<SteadyTime> paused_until_;
  std::set<std::int64_t> delivered_;          // but still in the outbox
  std::unique_ptr<asio::steady_timer> rest_;  // while run() rests
  bool woken_ = false;
};

}  // namespace graft::events
