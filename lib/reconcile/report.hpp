// What one cycle did: the plan, what became of each action, and what to do next. A value; rendered by the daemon.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.hpp"
#include "base/result.hpp"
#include "manifest/loader.hpp"
#include "plan/plan.hpp"

namespace graft::reconcile {

enum class Outcome : std::uint8_t {
  done,
  failed,   // tried, and refused or lost
  skipped,  // not tried: what it needs failed, we are stopping, or it must wait
};

struct ActionResult {  // of one action
  ResourceKey key;
  Verb verb = Verb::none;
  Outcome outcome = Outcome::done;
  Error error;                           // for failed and skipped
  std::optional<WallTime> wake_at = {};  // of the server: then it wants to be looked at again
};

enum class Stage : std::uint8_t { loading, observing, executing };

// Is told how a cycle gets on, on its own thread. Calls must be short.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void loaded(const std::string& revision) = 0;  // the manifests that this cycle enforces
  // Of the stage: organizations seen, changes carried out. `total` may grow.
  virtual void progress(Stage stage, std::size_t done, std::size_t total) = 0;
  virtual void finished(const plan::Action& action, const ActionResult& result) = 0;
};

struct Report {
  bool compared = false;  // the live state was seen, so that the plan says how every resource stands
  plan::Plan plan;
  std::vector<ActionResult> results;  // in the order in which they ended; empty for a plan
  bool logins_stopped = false;        // a login was refused in this cycle or before it
  std::optional<Error> stopped;  // why the cycle could not be carried out at all: no login, no connection, no manifests
  Diagnostics diagnostics;       // of the manifests, when they were read anew
  bool manifests_rejected = false;  // they hold errors; the last good state, if any, was enforced
  std::size_t invalid_files = 0;    // of them, when they were rejected
  bool manifests_new = false;       // other ones are in force than in the cycle before
  std::chrono::microseconds load_took{0};
  std::string revision;                                 // of what was enforced
  std::shared_ptr<const manifest::DesiredState> state;  // what the plan points into, and
  std::shared_ptr<const void> wanted;                   // the organizations that nobody declared
  std::optional<WallTime> wake_at;                      // by the server's clock: something waits until then
  std::optional<WallTime> server_time;
  std::uint64_t requests = 0;
  std::chrono::milliseconds took{0};

  [[nodiscard]] std::size_t count(Outcome outcome) const;
  [[nodiscard]] bool converged() const;  // everything is, or was made, as declared
};

}  // namespace graft::reconcile
