#include "status/overview.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <unordered_map>

namespace graft::status {

namespace {

using reconcile::ActionResult;
using reconcile::Outcome;

// What a report says of one resource; nothing: it is in sync.
struct Said {
  const plan::Action* action = nullptr;
  const ActionResult* result = nullptr;
};

ResourceState planned_state(Verb verb) {
  switch (verb) {
    case Verb::none:
      return ResourceState::in_sync;
    case Verb::create:
    case Verb::update:
      return ResourceState::drifted;
    case Verb::wait:
      return ResourceState::held;
    case Verb::blocked:
      return ResourceState::failed;
    case Verb::unknown:
      return ResourceState::skipped;
  }
  return ResourceState::skipped;
}

ResourceState state_of(const Said& said) {
  const Verb verb = said.action->verdict.verb;
  if (said.result == nullptr) return planned_state(verb);
  switch (said.result->outcome) {
    case Outcome::done:
      return ResourceState::in_sync;
    case Outcome::failed:
      return ResourceState::failed;
    case Outcome::skipped:
      return verb == Verb::wait ? ResourceState::held : ResourceState::skipped;
  }
  return ResourceState::skipped;
}

void explain(Entry& entry, const Said& said) {
  if (entry.state == ResourceState::in_sync) return;
  if (said.result != nullptr) {
    entry.message = words_of(said.result->error);
    entry.hint = said.result->error.hint;
  } else {
    entry.message = said.action->verdict.reason;
  }
  if (entry.message.empty() && entry.state == ResourceState::drifted)
    entry.message = said.action->verdict.verb == Verb::create
                        ? "it is not there"
                        : fmt::format("{} fields differ", said.action->verdict.changes.size());
}

// What stays true from one cycle to the next: since when, and what was applied.
void remember(Entry& entry, const Entry* old, bool changed, WallTime now) {
  entry.since = old != nullptr && old->state == entry.state ? old->since : now;
  if (old != nullptr) {
    entry.changed_at = old->changed_at;
    entry.applied = old->applied;
  }
  if (changed) entry.changed_at = now;
  if (entry.state == ResourceState::in_sync) entry.applied = entry.desired->digest;
  if (old != nullptr) entry.from_start = old->from_start && old->desired->digest == entry.desired->digest;
  if (entry.applied) entry.from_start = false;
}

bool same_picture(const Overview& a, const Overview& b) {
  return std::ranges::equal(a.entries, b.entries, [](const Entry& x, const Entry& y) {
    return x.desired->key == y.desired->key && x.state == y.state && x.message == y.message &&
           x.changed_at == y.changed_at && x.hint == y.hint && x.desired->digest == y.desired->digest &&
           x.desired->summary == y.desired->summary && x.desired->at.to_string() == y.desired->at.to_string();
  });
}

}  // namespace

std::string_view to_string(ResourceState state) {
  switch (state) {
    case ResourceState::in_sync:
      return "in_sync";
    case ResourceState::drifted:
      return "drifted";
    case ResourceState::failed:
      return "failed";
    case ResourceState::held:
      return "held";
    case ResourceState::skipped:
      return "skipped";
  }
  return "skipped";
}

std::size_t Counts::total() const { return std::accumulate(of.begin(), of.end(), std::size_t{0}); }

const Entry* Overview::find(const ResourceKey& key) const {
  const auto found = std::ranges::lower_bound(entries, key, {}, [](const Entry& e) { return e.desired->key; });
  return found != entries.end() && found->desired->key == key ? &*found : nullptr;
}

Counts Overview::counts() const {
  Counts counts;
  for (const Entry& entry : entries) counts.add(entry.state);
  return counts;
}

std::shared_ptr<const Overview> make_overview(const std::shared_ptr<const Overview>& before,
                                              const reconcile::Report& report, WallTime now) {
  if (!report.compared) return before;
  std::unordered_map<ResourceKey, Said> said;
  for (const plan::Action& action : report.plan.actions) said[action.key()].action = &action;
  for (const ActionResult& result : report.results)
    if (const auto found = said.find(result.key); found != said.end()) found->second.result = &result;

  auto made = std::make_shared<Overview>();
  made->state = report.state;
  made->wanted = report.wanted;
  const auto add = [&](const Desired& desired, const Said& about) {
    Entry entry;
    entry.desired = &desired;
    if (about.action != nullptr) {
      entry.state = state_of(about);
      explain(entry, about);
      entry.from_start = !before && about.action->verdict.verb == Verb::update;
    }
    const bool changed = about.result != nullptr && about.result->outcome == Outcome::done;
    remember(entry, before ? before->find(desired.key) : nullptr, changed, now);
    made->entries.push_back(std::move(entry));
  };
  for (const Desired& desired : report.state->resources) {
    const auto found = said.find(desired.key);
    add(desired, found == said.end() ? Said{} : found->second);
    if (found != said.end()) said.erase(found);
  }
  // Organizations that nobody declared, but that something is declared in.
  for (const auto& [key, about] : said) add(*about.action->desired, about);
  std::ranges::sort(made->entries, {}, [](const Entry& e) -> const ResourceKey& { return e.desired->key; });
  const std::uint64_t version = before ? before->version : 0;
  made->version = before && same_picture(*before, *made) ? version : version + 1;
  return made;
}

std::string_view cause_of(const Overview* before, const Desired& desired, const Verdict& verdict) {
  if (!verdict.cause.empty()) return verdict.cause;
  const Entry* old = before != nullptr ? before->find(desired.key) : nullptr;
  if (old != nullptr && old->applied) return *old->applied == desired.digest ? "drift" : "manifest";
  if (old != nullptr && old->from_start && old->desired->digest == desired.digest) return "start";
  return before != nullptr || verdict.verb == Verb::create ? "manifest" : "start";
}

std::string words_of(const Error& error) {
  if (error.server_text.empty()) return error.message;
  return fmt::format("{}; the server said: {}", error.message, error.server_text);
}

}  // namespace graft::status
