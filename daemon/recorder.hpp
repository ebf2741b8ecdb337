// What becomes of a cycle once it is seen: it is put on the board, counted, written into the history, told to those who
// listen. The loop tells the recorder, and nobody else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/broadcast.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "daemon/logger.hpp"
#include "daemon/settings.hpp"
#include "events/compose.hpp"
#include "grafana/request_observer.hpp"
#include "metrics/metrics.hpp"
#include "reconcile/cycle.hpp"
#include "state/store.hpp"
#include "status/facts.hpp"
#include "supervise/heartbeat.hpp"
#include "token/observer.hpp"

namespace graft::daemon {

// One thread, that of the loop; the board, the metrics and the broadcast are for any.
class Recorder final : public reconcile::Watcher, public grafana::RequestObserver, public token::Observer {
 public:
  struct Parts {
    status::Board& board;
    metrics::Metrics& metrics;
    admin::Broadcast& broadcast;
    supervise::Heartbeat& heartbeat;
    Clock& clock;
    Logger& log;
  };
  explicit Recorder(Parts parts);

  // Called when a cycle has sound manifests before it.
  void on_loaded(std::function<void()> told) { told_loaded_ = std::move(told); }

  // At the start and after each reload.
  void use(const Settings& settings, std::shared_ptr<state::Store> store);

  [[nodiscard]] std::uint64_t begin_cycle();  // its number
  void end_cycle(const reconcile::Report& report);
  void tick();  // each second: what waits to be written is written, also while an action takes long
  void next_cycle_at(WallTime when);
  // Whether end_cycle() left something in the outbox, since this was asked last.
  [[nodiscard]] bool has_events() { return std::exchange(has_events_, false); }

  // Problems that do not come from a cycle; nullopt: it is over.
  void configuration(std::optional<Error> wrong);
  void not_reloaded();  // counted, whatever it was that had errors
  void credential(std::optional<Error> wrong);

  [[nodiscard]] const status::CycleRecord& last_cycle() const { return last_; }

  void loaded(const std::string& revision) override;
  void progress(reconcile::Stage stage, std::size_t done, std::size_t total) override;
  void finished(const plan::Action& action, const reconcile::ActionResult& result) override;

  void began() override;
  void ended(std::string_view method, std::string_view route, int status,
             std::chrono::steady_clock::duration took) override;
  void retried(std::string_view reason) override;
  void write_limit(std::size_t limit) override;

  void key_delivered(std::string_view sink) override;
  void key_not_delivered(std::string_view sink, ErrorCode why) override;
  void key_verified(token::Answer answer) override;
  void orphan_removed() override;

 private:
  void flush();
  [[nodiscard]] bool known_failure(const plan::Action& action, const reconcile::ActionResult& result) const;
  void note_change(const plan::Action& action, const reconcile::ActionResult& result);
  void count(const plan::Action& action, const reconcile::ActionResult& result);
  void count_resources();
  void count_tokens();
  void count_state_directory();
  void events_pending();
  void compose_events(const reconcile::Report& report);
  void note_happened(const plan::Action& action, state::Change change);
  void problems_of(const reconcile::Report& report, std::vector<status::Problem>& into) const;
  void tell_board(const reconcile::Report& report);

  Parts parts_;
  Settings settings_;
  std::shared_ptr<state::Store> store_;
  std::shared_ptr<const status::Overview> overview_;  // of the cycle before
  std::uint64_t cycle_ = 0;
  std::string revision_;
  std::function<void()> told_loaded_;
  WallTime begun_;
  SteadyTime stage_begun_, flushed_, told_;
  std::optional<reconcile::Stage> stage_;
  std::vector<state::Change> changes_;      // not yet in the history
  std::size_t drifted_ = 0;                 // in this cycle
  std::vector<events::Happened> happened_;  // in this cycle, when there is a webhook
  events::Memory told_events_;
  bool has_events_ = false;
  std::optional<Error> configuration_, credential_;
  bool writable_ = true;
  status::CycleRecord last_;
};

}  // namespace graft::daemon
