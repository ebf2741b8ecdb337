// What graftd knows about itself at a moment: what the endpoint, `graftd status` and systemd are told. A value, and the
// board that holds the present one.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "state/store.hpp"
#include "status/overview.hpp"

namespace graft::status {

enum class CycleResult : std::uint8_t {
  success,    // changed something, and everything is as declared
  noop,       // nothing to do
  error,      // a resource failed or was skipped
  held,       // nothing failed, but something must wait
  stopped,    // the cycle could not be carried out
  suspended,  // compared only
};
[[nodiscard]] std::string_view to_string(CycleResult result);

struct CycleRecord {
  std::uint64_t id = 0;
  WallTime started_at;
  std::chrono::milliseconds took{0};
  CycleResult result = CycleResult::noop;
  std::size_t applied = 0, failed = 0, skipped = 0, drifted = 0;
  std::uint64_t requests = 0;
  std::string revision, error;
};

// Of the cycle that is under way.
struct Progress {
  std::uint64_t id = 0;
  WallTime started_at;
  reconcile::Stage stage = reconcile::Stage::loading;
  std::size_t done = 0, total = 0;   // of the stage: organizations seen, actions carried out
  std::optional<double> per_second;  // since the stage began; nullopt: too early to tell
  [[nodiscard]] std::optional<std::chrono::seconds> remaining() const;
};
[[nodiscard]] std::string_view to_string(reconcile::Stage stage);

// Something that is wrong, in words for a person.
struct Problem {
  std::string about;     // "manifests", "configuration", "credential", "grafana", "state", "resource"
  std::string resource;  // "Folder apiorg/ops"; empty: none in particular
  std::string message, at, hint;
  WallTime since;
};

enum class State : std::uint8_t {
  starting,   // no cycle has ended
  converged,  // everything is as declared
  changing,   // a cycle carries out changes
  degraded,   // a resource failed, is held, skipped or drifted, or the manifests or the configuration have errors
  stopped,    // the last cycle could not be carried out at all
  suspended,  // cycles only compare
};
[[nodiscard]] std::string_view to_string(State state);

using Slots = std::vector<std::pair<state::SlotKey, state::SlotRecord>>;

struct Facts {
  // Fixed while the process lives, or until a reload.
  std::string version, build_revision, owner, grafana_url;
  WallTime started_at;
  std::chrono::seconds interval{0};
  bool suspended = false;

  std::optional<WallTime> next_cycle_at;
  std::optional<Progress> progress;
  std::deque<CycleRecord> cycles;  // oldest first, at most cycles_kept
  std::shared_ptr<const Overview> overview;
  std::shared_ptr<const std::string> plan;  // JSON of what is left to do
  std::optional<WallTime> planned_at;
  std::shared_ptr<const Slots> slots;
  std::string revision;                   // of the manifests that are in force
  bool rejected = false;                  // newer ones have errors
  std::vector<Problem> general;           // those that are not about a resource
  std::optional<WallTime> stopped_since;  // cycles in a row could not be carried out
  int failures = 0;                       // how many
  bool configuration_good = true;         // the last reload was taken over
  bool state_writable = true;
  std::size_t pending_events = 0;  // not yet taken by the webhook

  // Kept by the board.
  State state = State::starting;
  WallTime since;
};

inline constexpr std::size_t cycles_kept = 500;

[[nodiscard]] State state_of(const Facts& facts);
[[nodiscard]] std::string headline(const Facts& facts);  // one sentence
[[nodiscard]] std::string status_line(const Facts& facts,
                                      WallTime now);  // for systemd: "rev 1a2b3c ok, 214 resources, …"

// "777df3313dc5" of "sha256:777df3313dc5fd1b…", the revision of a directory.
[[nodiscard]] std::string short_revision(const std::string& revision);

struct Condition {
  std::string_view type, reason;  // "Ready", "LoginRefused"
  bool status = false;
  std::string message;
  std::optional<WallTime> since;
};
[[nodiscard]] std::vector<Condition> conditions(const Facts& facts, WallTime now);

// Whether traffic may rely on us. `why` names what is missing.
struct Readiness {
  bool ready = false;
  std::string why;
};
inline constexpr std::chrono::minutes stopped_limit{15};
[[nodiscard]] Readiness readiness(const Facts& facts, WallTime now);
// The first pass is done and every declared token has been delivered: what waits for keys may start.
[[nodiscard]] Readiness startup(const Facts& facts);

// "attention", "pending", "expired", "rotating", "rotation due", "in use"
[[nodiscard]] std::string_view slot_state(const state::SlotRecord& record, WallTime now);
[[nodiscard]] std::string slot_name(const state::SlotKey& key, const state::SlotRecord& record);

// All problems, worst first: the general ones, then failed, held, skipped and drifted resources.
[[nodiscard]] std::vector<Problem> problems(const Facts& facts);

// Holds the present Facts. Any thread.
class Board {
 public:
  explicit Board(Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::shared_ptr<const Facts> facts() const;
  void update(const std::function<void(Facts&)>& change);  // and sets state and since
  void progress(std::optional<Progress> now);              // as update(), but cheap
  [[nodiscard]] std::optional<Progress> progress() const;

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Facts> facts_ = std::make_shared<Facts>();
  std::optional<Progress> progress_;
};

}  // namespace graft::status
