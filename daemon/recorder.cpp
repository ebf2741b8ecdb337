#include "daemon/recorder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.hpp"
#include "daemon/version.hpp"
#include "plan/render.hpp"
#include "status/documents.hpp"

namespace graft::daemon {

namespace {

using reconcile::ActionResult;
using reconcile::Outcome;
using status::ResourceState;

constexpr std::chrono::seconds flush_interval{1};
constexpr std::size_t flush_size = 100;
constexpr std::chrono::milliseconds tell_interval{200};  // of progress
constexpr std::chrono::seconds rate_after{2};            // earlier, a rate is a guess
constexpr std::size_t events_kept = 1'000;
constexpr std::size_t shown_diagnostics = 50;
constexpr std::size_t most_happened = 2'000;
constexpr std::ptrdiff_t most_unwritten = 1'000;
constexpr std::size_t uid_bytes = 16;

bool is_change(Verb verb) { return verb == Verb::create || verb == Verb::update; }

// A key was made, rather than copied or taken away.
bool issues_key(const plan::Action& action) {
  if (action.key().kind != kind_service_account_token) return false;
  return action.verdict.verb == Verb::create ||
         std::ranges::any_of(action.verdict.changes, [](const FieldChange& c) { return c.pointer == "/key"; });
}

metrics::RotationReason rotation_reason(const plan::Action& action) {
  using metrics::RotationReason;
  if (action.verdict.verb == Verb::create) return RotationReason::first;
  if (action.verdict.cause == "rotation") return RotationReason::expiry;
  if (action.verdict.cause == "request") return RotationReason::forced;
  return action.verdict.cause == "recovery" ? RotationReason::lost : RotationReason::spec;
}

metrics::ObjectState metric_state(ResourceState state) {
  switch (state) {
    case ResourceState::in_sync:
      return metrics::ObjectState::in_sync;
    case ResourceState::drifted:
      return metrics::ObjectState::drifted;
    case ResourceState::failed:
      return metrics::ObjectState::failed;
    case ResourceState::held:
      return metrics::ObjectState::held;
    case ResourceState::skipped:
      return metrics::ObjectState::skipped;
  }
  return metrics::ObjectState::skipped;
}

metrics::CycleResult metric_result(status::CycleResult result) {
  using Metric = metrics::CycleResult;
  switch (result) {
    case status::CycleResult::success:
      return Metric::success;
    case status::CycleResult::noop:
      return Metric::noop;
    case status::CycleResult::error:
      return Metric::error;
    case status::CycleResult::held:
      return Metric::held;
    case status::CycleResult::stopped:
      return Metric::stopped;
    case status::CycleResult::suspended:
      return Metric::suspended;
  }
  return Metric::error;
}

metrics::TokenState metric_token_state(std::string_view state) {
  using Metric = metrics::TokenState;
  static constexpr std::array<std::pair<std::string_view, Metric>, 6> table{{{"in use", Metric::in_use},
                                                                             {"rotation due", Metric::rotation_due},
                                                                             {"rotating", Metric::rotation_due},
                                                                             {"pending", Metric::pending},
                                                                             {"expired", Metric::expired},
                                                                             {"attention", Metric::problem}}};
  const auto found = std::ranges::find(table, state, &std::pair<std::string_view, Metric>::first);
  return found == table.end() ? Metric::problem : found->second;
}

status::CycleResult result_of(const reconcile::Report& report, const status::Counts& counts, bool suspended) {
  using status::CycleResult;
  if (report.stopped) return CycleResult::stopped;
  if (suspended) return CycleResult::suspended;
  if (counts[ResourceState::failed] + counts[ResourceState::skipped] + counts[ResourceState::drifted] > 0)
    return CycleResult::error;
  if (counts[ResourceState::held] > 0) return CycleResult::held;
  return report.count(Outcome::done) > 0 ? CycleResult::success : CycleResult::noop;
}

// Actions that were not carried out: what the next cycle has before it.
plan::Plan left_to_do(const reconcile::Report& report) {
  std::unordered_set<ResourceKey> done;
  for (const ActionResult& result : report.results)
    if (result.outcome == Outcome::done) done.insert(result.key);
  plan::Plan left;
  left.in_sync = report.plan.in_sync + done.size();
  for (const plan::Action& action : report.plan.actions)
    if (!done.contains(action.key())) left.actions.push_back(action);
  return left;
}

bool no_answer(const Error& stopped) {
  return stopped.code == ErrorCode::unavailable || stopped.code == ErrorCode::timeout ||
         stopped.code == ErrorCode::ambiguous;
}

// We are stopping, and what was under way was cut short.
bool interrupted(const reconcile::Report& report) {
  return (report.stopped && report.stopped->code == ErrorCode::cancelled) ||
         std::ranges::any_of(report.results, [](const ActionResult& result) {
           return result.outcome != Outcome::done && result.error.code == ErrorCode::cancelled;
         });
}

// There was nothing to enforce, and nobody was asked: whatever stopped the cycle stopped the manifests.
bool without_manifests(const reconcile::Report& report) { return report.manifests_rejected && report.revision.empty(); }

std::string_view about_of(const reconcile::Report& report) {
  if (without_manifests(report)) return "manifests";
  switch (report.stopped->code) {
    case ErrorCode::unauthenticated:
    case ErrorCode::blocked:
      return "credential";
    case ErrorCode::invalid:
      return "manifests";
    default:
      return "grafana";
  }
}

status::Slots declared_only(status::Slots slots, const status::Overview* overview) {
  if (overview == nullptr) return slots;
  std::erase_if(slots, [&](const auto& slot) {
    return overview->find({kind_service_account_token, slot.second.organization, slot.second.name}) == nullptr;
  });
  return slots;
}

// "apiorg", "test", "test-token"
metrics::TokenExpiration expiration_of(const state::SlotKey& key, const state::SlotRecord& record, WallTime at) {
  const bool named = record.name.size() > key.token.size();
  return {record.organization, named ? record.name.substr(0, record.name.size() - key.token.size() - 1) : record.name,
          key.token, at};
}

// "too young by 34 s" and "too young by 3 s" are one reason.
std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

// "file", "kubernetes" or "vault", of "secret monitoring/apiorg-token/token".
std::string_view kind_of_sink(std::string_view description) {
  const std::string_view word = description.substr(0, description.find(' '));
  return word == "secret" ? "kubernetes" : word;
}

std::optional<events::Standing::What> standing_of(ResourceState state) {
  using What = events::Standing::What;
  if (state == ResourceState::failed) return What::failed;
  if (state == ResourceState::held) return What::held;
  if (state == ResourceState::drifted) return What::drifted;
  return std::nullopt;  // what is skipped tells nothing that its cause does not tell
}

std::vector<events::Standing> standings(const reconcile::Report& report, const status::Overview& overview) {
  std::unordered_map<ResourceKey, const plan::Action*> actions;
  for (const plan::Action& action : report.plan.actions) actions[action.key()] = &action;
  std::vector<events::Standing> made;
  for (const status::Entry& entry : overview.entries) {
    const auto what = standing_of(entry.state);
    if (!what) continue;
    const ResourceKey& key = entry.desired->key;
    events::Standing one{*what,
                         {std::string(key.kind.text()), key.organization, key.name},
                         entry.message,
                         entry.desired->at.to_string(),
                         {}};
    if (const auto found = actions.find(key); found != actions.end()) one.fields = found->second->verdict.changes;
    made.push_back(std::move(one));
  }
  return made;
}

events::CycleFacts facts_for_events(const reconcile::Report& report, const status::Overview* overview,
                                    const status::Facts& facts) {
  events::CycleFacts made;
  made.server_time = report.server_time;
  made.revision = report.revision;
  made.looked = report.compared;
  if (overview != nullptr && report.compared) made.standing = standings(report, *overview);
  if (facts.slots)
    for (const auto& [key, record] : *facts.slots)
      if (record.in_use && record.in_use->expires_at)
        made.tokens.push_back(
            {record.organization, record.name, *record.in_use->expires_at, record.in_use->rotates_at});
  // A configuration that was refused, say, stops no cycle.
  const std::string_view about = report.stopped ? about_of(report) : "manifests";
  for (const status::Problem& problem : facts.general)
    if ((report.stopped || report.manifests_rejected) && !made.stopped && problem.about == about)
      made.stopped = events::Stop{problem.about, problem.message, problem.at};
  if (overview != nullptr)
    for (const status::Entry& entry : overview->entries)
      if (entry.state == ResourceState::skipped) {
        const ResourceKey& key = entry.desired->key;
        made.not_known.push_back({std::string(key.kind.text()), key.organization, key.name});
      }
  return made;
}

}  // namespace

Recorder::Recorder(Parts parts) : parts_(parts) {
  parts_.board.update([&](status::Facts& facts) {
    facts.version = version();
    facts.build_revision = build_revision();
    facts.started_at = parts_.clock.wall();
  });
}

void Recorder::use(const Settings& settings, std::shared_ptr<state::Store> store) {
  // What was seen of another Grafana says nothing of this one.
  if (settings.url != settings_.url || settings.owner != settings_.owner) {
    overview_.reset();
    told_events_ = {};
  }
  settings_ = settings;
  store_ = std::move(store);
  parts_.board.update([&](status::Facts& facts) {
    facts.owner = settings.owner;
    facts.grafana_url = settings.url;
    facts.interval = settings.interval;
    facts.suspended = settings.suspend;
  });
  parts_.metrics.set_interval(settings.interval);
  parts_.metrics.suspended(settings.suspend);
}

std::uint64_t Recorder::begin_cycle() {
  begun_ = parts_.clock.wall();
  flushed_ = told_ = parts_.clock.steady();
  stage_.reset();
  drifted_ = 0;
  Result<std::uint64_t> next = store_->next_cycle(cycle_);
  if (!next && writable_) parts_.log.error("the state directory cannot be written", {{"err", next.error().describe()}});
  writable_ = next.has_value();
  cycle_ = next ? *next : cycle_ + 1;
  parts_.heartbeat.working(true);
  parts_.metrics.cycle_began();
  return cycle_;
}

void Recorder::loaded(const std::string& revision) {
  revision_ = revision;
  if (told_loaded_) told_loaded_();
}

void Recorder::progress(reconcile::Stage stage, std::size_t done, std::size_t total) {
  const SteadyTime now = parts_.clock.steady();
  parts_.heartbeat.progress();
  const bool other_stage = stage_ != stage;
  if (other_stage) stage_begun_ = now;
  stage_ = stage;
  status::Progress progress{cycle_, begun_, stage, done, total, std::nullopt};
  const std::chrono::duration<double> elapsed = now - stage_begun_;
  if (elapsed >= rate_after && done > 0) progress.per_second = static_cast<double>(done) / elapsed.count();
  parts_.board.progress(progress);
  if (total > 0)
    parts_.log.show({stage == reconcile::Stage::observing ? "organizations" : "changes", done, total,
                     progress.per_second, progress.remaining()});
  if (!other_stage && now - told_ < tell_interval && done < total) return;
  told_ = now;
  parts_.broadcast.publish("progress", status::progress_document(progress));
}

void Recorder::finished(const plan::Action& action, const ActionResult& result) {
  parts_.heartbeat.progress();
  if (!is_change(action.verdict.verb) || result.outcome == Outcome::skipped) return;
  if (result.outcome == Outcome::failed && result.error.code == ErrorCode::cancelled) return;  // we are stopping
  count(action, result);
  note_change(action, result);
  tick();
}

void Recorder::tick() {
  if (changes_.size() >= flush_size || parts_.clock.steady() - flushed_ >= flush_interval) flush();
}

void Recorder::count(const plan::Action& action, const ActionResult& result) {
  const std::string_view kind = action.key().kind.text();
  const auto outcome = result.outcome == Outcome::done ? metrics::Outcome::success : metrics::Outcome::error;
  parts_.metrics.changed(kind, action.verdict.verb == Verb::create ? metrics::Action::create : metrics::Action::update,
                         outcome);
  if (result.outcome == Outcome::failed && result.error.code == ErrorCode::conflict) parts_.metrics.conflict(kind);
  if (issues_key(action)) parts_.metrics.token_rotated(rotation_reason(action), outcome);
}

// Whether the same was told of it by the cycle before.
bool Recorder::known_failure(const plan::Action& action, const ActionResult& result) const {
  const status::Entry* before = overview_ ? overview_->find(action.key()) : nullptr;
  return result.outcome == Outcome::failed && before != nullptr && before->state == ResourceState::failed &&
         without_numbers(before->message) == without_numbers(status::words_of(result.error));
}

// A failure is written down when it begins and when its words change, not at every cycle that meets it again.
void Recorder::note_change(const plan::Action& action, const ActionResult& result) {
  if (known_failure(action, result)) return;
  const std::string words = result.outcome == Outcome::done ? std::string() : status::words_of(result.error);
  state::Change change;
  change.at = parts_.clock.wall();
  change.cycle = cycle_;
  change.revision = revision_;
  change.kind = action.key().kind.text();
  change.organization = action.key().organization;
  change.name = action.key().name;
  change.action = to_string(action.verdict.verb);
  change.outcome = result.outcome == Outcome::done ? "done" : "failed";
  change.cause = status::cause_of(overview_.get(), *action.desired, action.verdict);
  change.fields = action.verdict.changes;
  change.message = words.empty() ? action.desired->summary : words;
  if (change.cause == "drift") {
    ++drifted_;
    parts_.metrics.drift(change.kind);
  }
  note_happened(action, change);
  changes_.push_back(std::move(change));
}

void Recorder::note_happened(const plan::Action& action, state::Change change) {
  const bool tellable = change.cause == "drift" || action.key().kind == kind_service_account_token;
  if (settings_.webhook_url.empty() || !tellable || happened_.size() >= most_happened) return;
  happened_.push_back({std::move(change), action.desired->at.to_string()});
}

// The webhook hears of what happened in this cycle and of how things stand now.
void Recorder::compose_events(const reconcile::Report& report) {
  if (settings_.webhook_url.empty()) return;
  events::CycleFacts facts = facts_for_events(report, overview_.get(), *parts_.board.facts());
  if (interrupted(report)) {  // by ourselves: how things stand was not found out
    facts.looked = false;
    facts.standing.clear();
    if (!told_events_.stopped.empty()) facts.stopped = events::Stop{*told_events_.stopped.begin(), {}, {}};
  }
  facts.at = parts_.clock.wall();
  facts.cycle = cycle_;
  facts.happened = std::exchange(happened_, {});
  const events::Composer composer{settings_.owner, version(), events::types_of(settings_.webhook_events),
                                  [] { return random_hex(uid_bytes); }};
  events::Composed composed = events::compose(facts, told_events_, composer);
  if (composed.events.empty()) {
    told_events_ = std::move(composed.memory);
    return;
  }
  const auto recorded = store_->record({}, composed.events, settings_.history_limit, events_kept);
  if (!recorded) {
    parts_.log.error("events not kept for the webhook; they will be composed again",
                     {{"err", recorded.error().describe()}});
    happened_ = std::move(facts.happened);
    return;
  }
  if (recorded->dropped_events > 0)
    parts_.log.error("the webhook takes no events; the oldest were dropped",
                     {{"dropped", std::to_string(recorded->dropped_events)}});
  told_events_ = std::move(composed.memory);
  has_events_ = true;
}

void Recorder::flush() {
  flushed_ = parts_.clock.steady();
  if (changes_.empty()) return;
  const std::vector<state::Change> written = std::exchange(changes_, {});
  const Result<state::Recorded> recorded = store_->record(written, {}, settings_.history_limit, events_kept);
  if (!recorded)
    parts_.log.error("changes not written into the history",
                     {{"count", std::to_string(written.size())}, {"err", recorded.error().describe()}});
  std::int64_t id = recorded ? recorded->first_change : 0;
  for (state::Change change : written) {
    change.id = id++;
    parts_.broadcast.publish("change", status::change_document(change));
  }
}

void Recorder::end_cycle(const reconcile::Report& report) {
  flush();
  const auto before = overview_;
  overview_ = status::make_overview(overview_, report, parts_.clock.wall());
  const status::Counts counts = overview_ ? overview_->counts() : status::Counts{};
  last_ = {};
  last_.id = cycle_;
  last_.started_at = begun_;
  last_.took = report.took;
  last_.result = result_of(report, counts, settings_.suspend);
  last_.applied = report.count(Outcome::done);
  last_.failed = report.count(Outcome::failed);
  last_.skipped = report.count(Outcome::skipped);
  last_.drifted = settings_.suspend ? counts[ResourceState::drifted] : drifted_;
  last_.requests = report.requests;
  last_.revision = report.revision;
  if (report.stopped) last_.error = status::words_of(*report.stopped);

  parts_.heartbeat.working(false);
  parts_.log.end_progress();
  parts_.board.progress(std::nullopt);
  tell_board(report);
  const auto facts = parts_.board.facts();
  if (!report.revision.empty() || report.manifests_rejected)
    parts_.metrics.source_loaded({report.manifests_rejected ? metrics::LoadResult::error
                                  : report.manifests_new    ? metrics::LoadResult::success
                                                            : metrics::LoadResult::noop,
                                  report.load_took, report.revision, report.invalid_files, begun_});
  parts_.metrics.cycle_ended(metric_result(last_.result), report.took, parts_.clock.wall());
  parts_.metrics.consecutive_failures(static_cast<std::size_t>(facts->failures));
  parts_.metrics.circuit(metrics::Circuit::auth, report.logins_stopped);
  parts_.metrics.circuit(metrics::Circuit::unavailable,
                         report.stopped && !without_manifests(report) && no_answer(*report.stopped));
  count_resources();
  count_tokens();
  count_state_directory();
  compose_events(report);
  events_pending();
  parts_.broadcast.publish("status", status::changed_document(*facts));
}

void Recorder::tell_board(const reconcile::Report& report) {
  auto slots = store_->slots();
  const std::shared_ptr<const status::Slots> declared =
      slots ? std::make_shared<const status::Slots>(declared_only(std::move(*slots), overview_.get())) : nullptr;
  std::vector<status::Problem> problems;
  problems_of(report, problems);
  parts_.board.update([&](status::Facts& facts) {
    for (status::Problem& problem : problems) {
      const auto old = std::ranges::find_if(facts.general, [&](const status::Problem& known) {
        return known.about == problem.about && known.message == problem.message && known.at == problem.at;
      });
      problem.since = old == facts.general.end() ? parts_.clock.wall() : old->since;
    }
    facts.general = std::move(problems);
    facts.cycles.push_back(last_);
    facts.overview = overview_;
    if (report.compared) {
      facts.plan = std::make_shared<const std::string>(plan::render_json(left_to_do(report)));
      facts.planned_at = parts_.clock.wall();
    }
    if (declared) facts.slots = declared;
    if (!report.revision.empty()) facts.revision = report.revision;
    facts.rejected = report.manifests_rejected;
    if (!report.stopped) {
      facts.stopped_since.reset();
    } else if (!facts.stopped_since) {
      facts.stopped_since = begun_;
    }
    facts.failures = report.stopped ? facts.failures + 1 : 0;
    facts.configuration_good = !configuration_;
    facts.state_writable = writable_;
  });
}

void Recorder::problems_of(const reconcile::Report& report, std::vector<status::Problem>& into) const {
  const auto add = [&](std::string_view about, const Error& error) {
    into.push_back({std::string(about), {}, status::words_of(error), error.where.to_string(), error.hint, {}});
  };
  // A source that gives nothing is told of below.
  const bool told_below = without_manifests(report) && report.stopped && report.stopped->code != ErrorCode::invalid;
  if (report.stopped && report.stopped->code != ErrorCode::cancelled && !told_below)
    add(about_of(report), *report.stopped);
  if (credential_) add("credential", *credential_);
  if (configuration_) add("configuration", *configuration_);
  if (!writable_)
    into.push_back({"state",
                    {},
                    "the state directory cannot be written",
                    settings_.state_directory,
                    "until it can be, no token is made: make room, or mend its owner and mode",
                    {}});
  if (!report.manifests_rejected) return;
  std::size_t shown = 0;
  for (const Diagnostic& item : report.diagnostics.items())
    if (item.severity == Severity::error && ++shown <= shown_diagnostics)
      into.push_back({"manifests", {}, item.message, item.at.to_string(), item.hint, {}});
}

void Recorder::events_pending() {
  if (settings_.webhook_url.empty()) return;
  const auto pending = store_->pending_events();
  if (!pending) return;
  parts_.metrics.events_pending(pending->count);
  parts_.board.update([&](status::Facts& facts) { facts.pending_events = pending->count; });
}

void Recorder::next_cycle_at(WallTime when) {
  parts_.board.update([&](status::Facts& facts) { facts.next_cycle_at = when; });
}

void Recorder::not_reloaded() { parts_.metrics.config_reloaded(false, parts_.clock.wall()); }

void Recorder::configuration(std::optional<Error> wrong) {
  configuration_ = std::move(wrong);
  if (!configuration_) parts_.metrics.config_reloaded(true, parts_.clock.wall());
  parts_.board.update([&](status::Facts& facts) { facts.configuration_good = !configuration_; });
}

void Recorder::credential(std::optional<Error> wrong) { credential_ = std::move(wrong); }

void Recorder::count_resources() {
  if (!overview_) return;
  std::map<std::string_view, status::Counts> by_kind;
  for (const KindName kind : {kind_organization, kind_organization_member, kind_service_account,
                              kind_service_account_token, kind_folder, kind_dashboard})
    by_kind[kind.text()];
  for (const status::Entry& entry : overview_->entries) by_kind[entry.desired->key.kind.text()].add(entry.state);
  for (const auto& [kind, counts] : by_kind)
    for (const ResourceState state : status::resource_states)
      parts_.metrics.set_objects(kind, metric_state(state), counts[state]);
}

void Recorder::count_tokens() {
  const auto facts = parts_.board.facts();
  if (!facts->slots) return;
  const WallTime now = parts_.clock.wall();
  std::map<metrics::TokenState, std::size_t> counts{{metrics::TokenState::in_use, 0},
                                                    {metrics::TokenState::rotation_due, 0},
                                                    {metrics::TokenState::pending, 0},
                                                    {metrics::TokenState::expired, 0},
                                                    {metrics::TokenState::problem, 0}};
  std::vector<metrics::TokenExpiration> expirations;
  std::optional<WallTime> next_rotation;
  for (const auto& [key, record] : *facts->slots) {
    ++counts[metric_token_state(status::slot_state(record, now))];
    if (!record.in_use) continue;
    if (record.in_use->expires_at) expirations.push_back(expiration_of(key, record, *record.in_use->expires_at));
    if (record.in_use->rotates_at)
      next_rotation = std::min(next_rotation.value_or(*record.in_use->rotates_at), *record.in_use->rotates_at);
  }
  for (const auto& [state, count] : counts) parts_.metrics.set_tokens(state, count);
  parts_.metrics.set_token_expirations(std::move(expirations));
  parts_.metrics.set_next_rotation(next_rotation);
}

void Recorder::count_state_directory() {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(settings_.state_directory, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    const auto size = at->file_size(unknown);
    if (!unknown) bytes += size;
  }
  parts_.metrics.state_dir(writable_, bytes);
}

void Recorder::began() {
  parts_.heartbeat.progress();
  parts_.metrics.request_began();
}

void Recorder::ended(std::string_view method, std::string_view route, int status,
                     std::chrono::steady_clock::duration took) {
  parts_.heartbeat.progress();
  parts_.metrics.request(method, route, status, took);
}

void Recorder::retried(std::string_view reason) { parts_.metrics.retried(reason); }
void Recorder::key_delivered(std::string_view sink) { parts_.metrics.token_delivered(kind_of_sink(sink)); }
void Recorder::key_not_delivered(std::string_view sink, ErrorCode why) {
  parts_.metrics.token_not_delivered(kind_of_sink(sink), why);
}
void Recorder::orphan_removed() { parts_.metrics.orphan_removed(); }

void Recorder::key_verified(token::Answer answer) {
  using metrics::Verification;
  switch (answer) {
    case token::Answer::ok:
      return parts_.metrics.token_verified(Verification::ok);
    case token::Answer::invalid:
      return parts_.metrics.token_verified(Verification::invalid);
    case token::Answer::mismatch:
      return parts_.metrics.token_verified(Verification::mismatch);
    case token::Answer::unclear:
      return parts_.metrics.token_verified(Verification::unclear);
  }
}

void Recorder::write_limit(std::size_t limit) { parts_.metrics.write_limit(limit); }

}  // namespace graft::daemon
