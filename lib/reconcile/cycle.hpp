// One cycle: load → observe → plan → execute → report. `run`, `plan`, `apply` and the tests call run_once() and nothing
// else.
//
// Two rounds: the first sees all organizations that are there, and makes or joins those that are not; the second does
// the content of those. A plan stops before the first execution, and says of the others that their content is not
// known.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "kinds/registry.hpp"
#include "manifest/loader.hpp"
#include "reconcile/observer.hpp"
#include "reconcile/report.hpp"

namespace graft::reconcile {

enum class Mode : std::uint8_t { plan, apply };

// Reads the manifests; called at the beginning of every cycle. Expected to be cheap when nothing has changed.
using Load = std::function<Result<manifest::LoadResult>()>;

class Cycle {
 public:
  struct Parts {
    grafana::Api& api;
    const kinds::Registry& registry;
    Clock& clock;
    Log& log;
    Load load;
    std::shared_ptr<const manifest::DesiredState> last_good = {};  // stays in force until better manifests are read
    Watcher* watcher = nullptr;                                    // may be null; outlives the Cycle
  };
  explicit Cycle(Parts parts);

  // `stopping` is asked between actions. Cancelling the coroutine ends it at the next wait; a key that is being handed
  // over is handed over first.
  [[nodiscard]] asio::awaitable<Report> run_once(Mode mode, std::function<bool()> stopping = [] { return false; });

  [[nodiscard]] std::shared_ptr<const manifest::DesiredState> last_good() const { return last_good_; }

 private:
  void load(Report& report);
  asio::awaitable<Status> reconcile(Mode mode, Report& report, const std::function<bool()>& stopping);
  const manifest::DesiredState& adapted(const kinds::ServerFacts& facts);

  Parts parts_;
  Observer observer_;
  std::shared_ptr<const manifest::DesiredState> last_good_;
  std::shared_ptr<const manifest::DesiredState> adapted_from_, adapted_;  // last_good_ as this server stores it
  std::string adapted_for_;                                               // its smallest refresh
};

}  // namespace graft::reconcile
