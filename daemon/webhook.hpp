// The webhook of the settings: events of the store's outbox are sent to it, beside the cycles and never in their way.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "daemon/settings.hpp"
#include "metrics/metrics.hpp"
#include "state/store.hpp"

namespace graft::daemon {

// Of the loop's thread. What it needs lives until its coroutine has ended; `io`, `clock`, `random` and `log` outlive
// that.
class Webhook {
 public:
  // nullptr when no webhook is configured. Errors: invalid (URL, secret), io (the secret file).
  [[nodiscard]] static Result<std::unique_ptr<Webhook>> make(const Settings& settings,
                                                             std::shared_ptr<state::Store> store, Clock& clock,
                                                             Random& random, Log& log);
  ~Webhook();  // stops it; what was not taken stays in the outbox

  void start(boost::asio::io_context& io);
  void wake();                                 // events were recorded
  void count_into(metrics::Metrics& metrics);  // what was delivered since the last call, and what is pending

 private:
  struct Impl;
  explicit Webhook(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the coroutine
};

}  // namespace graft::daemon
