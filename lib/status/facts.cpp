#include "status/facts.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/duration.hpp"

namespace graft::status {

namespace {

constexpr std::size_t revision_shown = 12;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "2 failed, 1 held"
std::string list_of(const Counts& counts) {
  std::string text;
  for (const ResourceState state : resource_states)
    if (state != ResourceState::in_sync && counts[state] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[state], to_string(state));
  return text;
}

const CycleRecord* last_cycle(const Facts& facts) { return facts.cycles.empty() ? nullptr : &facts.cycles.back(); }

Counts counts_of(const Facts& facts) { return facts.overview ? facts.overview->counts() : Counts{}; }

bool first_pass_done(const Facts& facts) { return facts.overview != nullptr; }

}  // namespace

std::string short_revision(const std::string& revision) {
  const std::size_t colon = revision.find(':');
  return revision.substr(colon == std::string::npos ? 0 : colon + 1, revision_shown);
}

std::string_view to_string(CycleResult result) {
  switch (result) {
    case CycleResult::success:
      return "success";
    case CycleResult::noop:
      return "noop";
    case CycleResult::error:
      return "error";
    case CycleResult::held:
      return "held";
    case CycleResult::stopped:
      return "stopped";
    case CycleResult::suspended:
      return "suspended";
  }
  return "error";
}

std::string_view to_string(reconcile::Stage stage) {
  switch (stage) {
    case reconcile::Stage::loading:
      return "loading";
    case reconcile::Stage::observing:
      return "observing";
    case reconcile::Stage::executing:
      return "executing";
  }
  return "loading";
}

std::string_view to_string(State state) {
  switch (state) {
    case State::starting:
      return "starting";
    case State::converged:
      return "converged";
    case State::changing:
      return "changing";
    case State::degraded:
      return "degraded";
    case State::stopped:
      return "stopped";
    case State::suspended:
      return "suspended";
  }
  return "starting";
}

std::optional<std::chrono::seconds> Progress::remaining() const {
  if (!per_second || *per_second <= 0 || done >= total) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(static_cast<double>(total - done) / *per_second) + 1);
}

State state_of(const Facts& facts) {
  if (facts.progress && facts.progress->stage == reconcile::Stage::executing && facts.progress->total > 0)
    return State::changing;
  const CycleRecord* last = last_cycle(facts);
  if (last == nullptr) return State::starting;
  if (last->result == CycleResult::stopped) return State::stopped;
  if (facts.suspended) return State::suspended;
  const Counts counts = counts_of(facts);
  const bool wrong = counts.total() > counts[ResourceState::in_sync] || !facts.general.empty();
  return wrong ? State::degraded : State::converged;
}

std::string headline(const Facts& facts) {
  const Counts counts = counts_of(facts);
  switch (facts.state) {
    case State::starting:
      return "No cycle has ended yet";
    case State::converged:
      return counts.total() == 0 ? "No resources are declared"
                                 : fmt::format("{} {} as declared", counted(counts.total(), "resource"),
                                               counts.total() == 1 ? "is" : "are");
    case State::changing:
      return facts.progress ? fmt::format("Changing: {} of {} done", facts.progress->done, facts.progress->total)
                            : "Changing";
    case State::degraded:
      if (const std::string list = list_of(counts); !list.empty())
        return fmt::format("{} of {}", list, counted(counts.total(), "resource"));
      return facts.general.empty() ? "Something is wrong" : facts.general.front().message;
    case State::stopped: {
      const CycleRecord* last = last_cycle(facts);
      return last == nullptr || last->error.empty() ? "The last cycle could not be carried out"
                                                    : "Cycles cannot be carried out: " + last->error;
    }
    case State::suspended: {
      const std::string list = list_of(counts);
      return list.empty() ? "Suspended; everything is as declared" : "Suspended; " + list;
    }
  }
  return {};
}

std::string status_line(const Facts& facts, WallTime now) {
  const Counts counts = counts_of(facts);
  std::string text;
  if (!facts.revision.empty()) text += "rev " + short_revision(facts.revision) + " ";
  text += to_string(facts.state);
  if (facts.progress && facts.progress->total > 0) {
    text += fmt::format(", {} {}/{}", to_string(facts.progress->stage), facts.progress->done, facts.progress->total);
    if (const auto left = facts.progress->remaining()) text += fmt::format(", {} left", format_duration(*left));
    return text;
  }
  if (facts.state == State::stopped) return text + ": " + (facts.cycles.empty() ? "" : facts.cycles.back().error);
  text += fmt::format(", {}", counted(counts.total(), "resource"));
  if (const std::string list = list_of(counts); !list.empty()) text += ", " + list;
  if (const CycleRecord* last = last_cycle(facts); last != nullptr && last->applied > 0)
    text += fmt::format(", {} changed", last->applied);
  if (facts.next_cycle_at && *facts.next_cycle_at > now)
    text += fmt::format(", next in {}", format_duration(*facts.next_cycle_at - now));
  return text;
}

std::vector<Condition> conditions(const Facts& facts, WallTime now) {
  const Counts counts = counts_of(facts);
  const Readiness ready = readiness(facts, now);
  const bool stopped = facts.state == State::stopped;
  const std::size_t held = counts[ResourceState::held];
  std::vector<Condition> made;
  made.push_back({"Ready", ready.ready ? "Ready" : "NotReady", ready.ready, ready.why, {}});
  made.push_back({"Reconciling", facts.progress ? "CycleInProgress" : "Waiting", facts.progress.has_value(), "", {}});
  made.push_back({"Stalled", stopped ? "CycleStopped" : "Progressing", stopped,
                  stopped && !facts.cycles.empty() ? facts.cycles.back().error : "", facts.stopped_since});
  made.push_back({"Held",
                  held > 0 ? "WaitsForTimeOrPerson" : "NothingHeld",
                  held > 0,
                  held > 0 ? counted(held, "resource") + " must wait" : "",
                  {}});
  made.push_back({"Suspended",
                  facts.suspended ? "Suspended" : "Active",
                  facts.suspended,
                  facts.suspended ? "cycles only compare, since the configuration says suspend: true" : "",
                  {}});
  return made;
}

Readiness readiness(const Facts& facts, WallTime now) {
  if (!first_pass_done(facts)) {
    const CycleRecord* last = last_cycle(facts);
    return {false, last == nullptr ? "the first cycle has not ended" : "no cycle has been carried out: " + last->error};
  }
  if (!facts.configuration_good) return {false, "the configuration has errors; the earlier one stays in force"};
  if (!facts.state_writable) return {false, "the state directory cannot be written"};
  if (facts.stopped_since && now - *facts.stopped_since > stopped_limit)
    return {false, fmt::format("cycles have not been carried out since {}: {}", format_rfc3339(*facts.stopped_since),
                               facts.cycles.empty() ? "" : facts.cycles.back().error)};
  return {true, {}};
}

Readiness startup(const Facts& facts) {
  if (!first_pass_done(facts)) return {false, "the first cycle has not been carried out"};
  for (const Entry& entry : facts.overview->entries)
    if (entry.desired->key.kind == kind_service_account_token && !entry.applied)
      return {false, fmt::format("token {}/{} has not been delivered: {}", entry.desired->key.organization,
                                 entry.desired->key.name, entry.message)};
  return {true, {}};
}

std::string_view slot_state(const state::SlotRecord& record, WallTime now) {
  if (!record.problem.empty()) return "attention";
  if (!record.in_use) return "pending";
  if (record.in_use->expires_at && *record.in_use->expires_at <= now) return "expired";
  const bool rotating = record.phase == state::Phase::delivering && record.generation > record.in_use->generation;
  if (rotating) return "rotating";
  return record.in_use->rotates_at && *record.in_use->rotates_at <= now ? "rotation due" : "in use";
}

std::string slot_name(const state::SlotKey& key, const state::SlotRecord& record) {
  if (!record.organization.empty()) return record.organization + "/" + record.name;
  return fmt::format("{}/{}/{}", key.organization.value(), key.account_login, key.token);
}

std::vector<Problem> problems(const Facts& facts) {
  std::vector<Problem> all = facts.general;
  if (!facts.overview) return all;
  for (const ResourceState state :
       {ResourceState::failed, ResourceState::held, ResourceState::drifted, ResourceState::skipped})
    for (const Entry& entry : facts.overview->entries)
      if (entry.state == state)
        all.push_back({"resource", entry.desired->key.to_string(), entry.message, entry.desired->at.to_string(),
                       entry.hint, entry.since});
  return all;
}

std::shared_ptr<const Facts> Board::facts() const {
  const std::lock_guard lock(mutex_);
  if (facts_->progress == std::nullopt && progress_ == std::nullopt) return facts_;
  auto copy = std::make_shared<Facts>(*facts_);
  copy->progress = progress_;
  const State state = state_of(*copy);
  if (state != copy->state && progress_) copy->since = progress_->started_at;
  copy->state = state;
  return copy;
}

void Board::update(const std::function<void(Facts&)>& change) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Facts>(*facts_);
  change(*next);
  while (next->cycles.size() > cycles_kept) next->cycles.pop_front();
  next->progress = progress_;
  const State state = state_of(*next);
  if (state != next->state || next->since == WallTime{}) next->since = clock_.wall();
  next->state = state;
  facts_ = std::move(next);
}

void Board::progress(std::optional<Progress> now) {
  const std::lock_guard lock(mutex_);
  progress_ = std::move(now);
}

std::optional<Progress> Board::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

}  // namespace graft::status
