#include "token/slot.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/hash.hpp"

namespace graft::token {

namespace {

using sink::KeyState;
using std::chrono::seconds;

constexpr seconds proof_pause{30};   // until the key in use may be asked about again
constexpr seconds ttl_tolerance{2};  // Grafana computes the end a moment after the beginning
constexpr seconds reissue_window{3600};

Decision decision(Step step, std::string reason) {
  Decision made;
  made.step = step;
  made.reason = std::move(reason);
  return made;
}

const ListedToken* find(const Inputs& in, std::uint32_t generation) {
  const auto found = std::ranges::find_if(in.tokens, [&](const ListedToken& t) { return t.generation == generation; });
  return found == in.tokens.end() ? nullptr : &*found;
}

bool usable(const ListedToken* token) { return token != nullptr && !token->expired && !token->revoked; }

// What is wrong with a sink that does not hold the key in use; "" when it is right.
std::string what_is_wrong(const Inputs& in, const SinkInputs& sink) {
  if (sink.key_state == KeyState::missing) return "the key is missing from " + sink.name;
  if (sink.key_state == KeyState::malformed) return sink.name + " holds no sound key: " + sink.key_problem;
  if (!sink.key_entry) return sink.name + " holds a key that graftd did not put there";
  const ListedToken* token = token_of(in, *sink.key_entry);
  if (token == nullptr) return "the token of the key in " + sink.name + " is gone";
  if (token->revoked) return "Grafana has revoked the token of the key in " + sink.name;
  if (token->expired) return "the token of the key in " + sink.name + " has expired";
  return {};
}

// The inputs and what follows from them, so that each check is a few lines.
class Slot {
 public:
  Slot(const Inputs& read, const Policy& rules) : in(read), policy(rules), holder_(newest_key(read)) {
    const bool disproved = in.proof == Proof::refused || in.proof == Proof::wrong_account;
    if (holder_ && !disproved) current_ = token_of(in, *in.sinks[*holder_].key_entry);
  }

  const Inputs& in;
  const Policy& policy;

  [[nodiscard]] const ListedToken* current() const { return current_; }
  [[nodiscard]] std::size_t holder() const { return *holder_; }  // the sink that holds the current key
  [[nodiscard]] WallTime now() const { return *in.server_now; }

  [[nodiscard]] bool holds_current(const SinkInputs& sink) const {
    return sink.key_state == KeyState::present && sink.key_entry && token_of(in, *sink.key_entry) == current_;
  }

  // Why there is no current token; empty when there is one.
  [[nodiscard]] std::string why_no_current() const {
    if (current_ != nullptr) return {};
    if (never_had_a_key()) return "no key yet";
    if (holder_ && in.proof == Proof::wrong_account)
      return "the key in " + in.sinks[holder()].name + " belongs to another account";
    if (holder_ && in.proof == Proof::refused) return "Grafana refuses the key in " + in.sinks[holder()].name;
    return what_is_wrong(in, in.sinks.front());
  }

  [[nodiscard]] bool undelivered(const ListedToken& token) const {
    return in.record && in.record->phase == state::Phase::intent && in.record->generation == token.generation &&
           !token.last_used;
  }

  [[nodiscard]] bool may_be_in_use(const ListedToken& token) const { return usable(&token) && !undelivered(token); }

  // No key of this slot has ever left us.
  [[nodiscard]] bool never_had_a_key() const {
    const bool marked =
        std::ranges::any_of(in.sinks, [](const SinkInputs& sink) { return sink.marker_generation > 0; });
    return !marked && !(in.record && in.record->in_use) &&
           std::ranges::all_of(in.tokens, [this](const ListedToken& token) { return undelivered(token); });
  }

  // Only places that never held a key: the manifest names new ones.
  [[nodiscard]] bool moved() const {
    return in.record && !in.record->sinks.empty() &&
           std::ranges::none_of(in.sinks, [](const SinkInputs& sink) { return sink.known; });
  }

  [[nodiscard]] bool expired() const {
    return std::ranges::any_of(in.sinks, [this](const SinkInputs& sink) {
      const ListedToken* token = sink.key_entry ? token_of(in, *sink.key_entry) : nullptr;
      return token != nullptr && token->expired && !token->revoked;
    });
  }

  // Undelivered tokens that no sink can hold: newer than the current one, or all when there is none.
  [[nodiscard]] std::vector<const ListedToken*> orphans() const {
    std::vector<const ListedToken*> found;
    for (const ListedToken& token : in.tokens)
      if (newer_than_current(token) && undelivered(token)) found.push_back(&token);
    return found;
  }

  [[nodiscard]] bool newer_than_current(const ListedToken& token) const {
    return current_ == nullptr || token.generation > current_->generation;
  }

  // A token that was made in the future was made before the clock was set back: it is old.
  [[nodiscard]] WallTime may_delete_orphan_at(const ListedToken& token) const {
    return token.created > now() + policy.orphan_age ? now() : token.created + policy.orphan_age;
  }

  // All sinks hold the current key, and nobody else has touched them since then.
  [[nodiscard]] WallTime grace_begins() const {
    WallTime begins{};
    for (const SinkInputs& sink : in.sinks) {
      const WallTime delivered = std::min(sink.key_entry->delivered_at, now());
      // Delivered in the future: the clock was set back, and what was noted then is all that is known.
      const bool future = sink.key_entry->delivered_at > now();
      const WallTime since = sink.changed_at ? std::min(*sink.changed_at, now()) : delivered;
      begins = std::max({begins, since, future && sink.changed_at ? since : delivered});
    }
    return begins;
  }

 private:
  std::optional<std::size_t> holder_;
  const ListedToken* current_ = nullptr;
};

using Answer = std::optional<Decision>;

Answer list_known(const Slot& slot) {
  if (slot.in.list_problem.empty()) return std::nullopt;
  return decision(Step::unknown, slot.in.list_problem);
}

Answer sinks_known(const Slot& slot) {
  for (const SinkInputs& sink : slot.in.sinks)
    if (!sink.problem.empty()) return decision(Step::unknown, sink.name + ": " + sink.problem);
  return std::nullopt;
}

Answer server_time_known(const Slot& slot) {
  if (slot.in.server_now) return std::nullopt;
  return decision(Step::unknown, "Grafana's answers carry no readable Date, so nothing can be told of ages");
}

// Rule F: what breaks again and again is not mended by ever more keys.
Answer storm(const Slot& slot, const std::string& why) {
  if (!slot.in.record) return std::nullopt;
  std::vector<WallTime> recent;
  for (const WallTime time : slot.in.record->reissues)
    if (time > slot.now() - reissue_window && time < slot.now() + reissue_window) recent.push_back(time);
  if (recent.size() < slot.policy.reissues_per_hour || recent.empty()) return std::nullopt;
  std::ranges::sort(recent);
  // As many as are too many must have aged before the next.
  const WallTime until =
      recent[recent.size() - std::max<std::size_t>(slot.policy.reissues_per_hour, 1)] + reissue_window;
  Decision made = decision(
      Step::wait, fmt::format("{}; a new key was needed {} times within the last hour, so something is wrong that new "
                              "keys do not mend; the next one is made in {} (tokens.reissuesPerHour), or at once by "
                              "graftd tokens rotate",
                              why, recent.size(), format_duration(until - slot.now())));
  made.wake_at = until;
  return made;
}

// Rule B: an orphan that is too young to be deleted is waited for, since it would outlive its own record otherwise.
Answer young_orphan(const Slot& slot, const std::string& why) {
  std::optional<WallTime> until;
  for (const ListedToken* orphan : slot.orphans()) {
    const WallTime at = slot.may_delete_orphan_at(*orphan);
    if (slot.now() < at) until = std::max(until.value_or(at), at);
  }
  if (!until) return std::nullopt;
  Decision made = decision(Step::wait, fmt::format("{}; a token whose key was lost before delivery is too young to be "
                                                   "deleted; a new key is made in {}",
                                                   why, format_duration(*until - slot.now())));
  made.wake_at = until;
  return made;
}

// The next generation. Orphans go first; what may be in use is left to grace.
Decision issue(const Slot& slot, std::string why) {
  if (Answer held = young_orphan(slot, why)) return std::move(*held);
  Decision made = decision(Step::issue, std::move(why));
  made.generation = next_generation(slot.in);
  for (const ListedToken* orphan : slot.orphans()) made.revoke.push_back(orphan->id);
  return made;
}

Decision reissue(const Slot& slot, std::string why) {
  const bool forced = slot.in.rotation_asked;
  if (!forced)
    if (Answer held = storm(slot, why)) return std::move(*held);
  Decision made = issue(slot, std::move(why));
  made.unplanned = !forced && made.step == Step::issue;
  return made;
}

// Rules B, C, E, N: no key in use.
Answer no_key_in_use(const Slot& slot) {
  if (slot.current() != nullptr) return std::nullopt;
  const bool planned = slot.never_had_a_key() || slot.moved() || slot.expired();
  return planned ? issue(slot, slot.why_no_current()) : reissue(slot, slot.why_no_current());
}

// Rule C, second half: a newer token that may have been handed out means that the sink was rolled back.
Answer rolled_back(const Slot& slot) {
  const bool newer_in_use = std::ranges::any_of(slot.in.tokens, [&](const ListedToken& token) {
    return slot.newer_than_current(token) && slot.may_be_in_use(token);
  });
  if (!newer_in_use) return std::nullopt;
  return reissue(slot, slot.in.sinks[slot.holder()].name +
                           " holds an older key than the newest one that may have been handed out");
}

Answer asked_for(const Slot& slot) {
  if (!slot.in.rotation_asked) return std::nullopt;
  return issue(slot, "a new key was asked for");
}

// The key in use was made for another lifetime than is declared now.
Answer spec_changed(const Slot& slot) {
  const ListedToken& token = *slot.current();
  const auto made_for = token.expiration ? std::optional(*token.expiration - token.created) : std::nullopt;
  const auto& wanted = slot.policy.ttl;
  const bool same =
      made_for.has_value() == wanted.has_value() && (!wanted || std::chrono::abs(*made_for - *wanted) <= ttl_tolerance);
  // A server that gives other lifetimes than it is asked for must not be asked for ever.
  const auto& record = slot.in.record;
  const bool asked =
      record && record->in_use && record->in_use->generation == token.generation && record->in_use->ttl == wanted;
  if (same || asked) return std::nullopt;
  const auto text = [](const std::optional<seconds>& ttl) { return ttl ? format_duration(*ttl) : "never"; };
  return issue(slot, fmt::format("its ttl is {}, declared is {}", text(made_for), text(wanted)));
}

Answer due(const Slot& slot) {
  const auto at = rotation_due(*slot.current(), slot.policy);
  if (!at || slot.now() < *at) return std::nullopt;
  // A fresh key that is due already: Grafana gives shorter lives than it is asked for, or its Date is not its clock.
  const WallTime delivered = slot.in.sinks[slot.holder()].key_entry->delivered_at;
  const WallTime earliest = delivered + (*slot.policy.ttl - *slot.policy.rotate_before) / 2;
  if (delivered <= slot.now() && slot.now() < earliest) return std::nullopt;
  const auto left = std::max(seconds(0), *slot.current()->expiration - slot.now());
  return issue(slot, fmt::format("it expires in {}", format_duration(left)));
}

// Rules C (first half) and D: orphans by age, superseded tokens by grace, dead ones at once.
Answer left_over(const Slot& slot) {
  Decision made = decision(Step::revoke, "tokens of earlier generations are no longer needed");
  const WallTime now = slot.now();
  const WallTime grace_ends = slot.grace_begins() + slot.policy.grace;
  const auto consider = [&](const ListedToken& token, WallTime when) {
    if (now >= when || token.expired || token.revoked) {
      made.revoke.push_back(token.id);
    } else {
      made.wake_at = std::min(made.wake_at.value_or(when), when);
    }
  };
  // What may be in use goes only when its successor is proven to work, and not on the strength of its name alone.
  const bool proven = slot.in.proof == Proof::alive;
  for (const ListedToken& token : slot.in.tokens) {
    if (&token == slot.current()) continue;
    if (slot.newer_than_current(token)) {
      consider(token, slot.may_delete_orphan_at(token));
    } else {
      consider(token, proven ? grace_ends : std::max(grace_ends, now + proof_pause));
    }
  }
  if (made.revoke.empty() && !made.wake_at) return std::nullopt;
  if (made.revoke.empty()) made.step = Step::keep;  // waiting out a grace is neither a change nor a hold
  return made;
}

// A sink that lacks the key, holds another one, is not marked, or may be read by others than declared: the key that is
// in use is written there once more.
Answer sink_behind(const Slot& slot) {
  Decision made;
  for (std::size_t i = 0; i < slot.in.sinks.size(); ++i) {
    const SinkInputs& sink = slot.in.sinks[i];
    std::string wrong;
    if (!slot.holds_current(sink)) {
      wrong = what_is_wrong(slot.in, sink);
      if (wrong.empty()) wrong = sink.name + " holds an older key";
    } else if (sink.access_found != sink.access_wanted) {
      wrong = fmt::format("{}: {} instead of {}", sink.name, sink.access_found, sink.access_wanted);
    } else if (!sink.marked) {
      wrong = "the marker of " + sink.name + " is missing";
    }
    if (wrong.empty()) continue;
    made.to.push_back(i);
    made.reason += (made.reason.empty() ? "" : "; ") + wrong;
  }
  if (made.to.empty()) return std::nullopt;
  made.step = Step::spread;
  // Where only readers or markers are wrong, all sinks have the key, and what is left over need not wait.
  const bool all_have_it =
      std::ranges::all_of(slot.in.sinks, [&](const SinkInputs& sink) { return slot.holds_current(sink); });
  if (all_have_it)
    if (const Answer over = left_over(slot)) made.revoke = over->revoke;
  made.from = slot.holder();
  made.generation = slot.current()->generation;
  return made;
}

Answer in_use(const Slot&) { return decision(Step::keep, "the key is in its sink and alive"); }

struct Check {
  std::string_view name;
  Answer (*ask)(const Slot&);
};

// The first check that answers decides. From "rolled-back" on there is a key in use.
constexpr std::array<Check, 11> chain{{
    {"list-known", list_known},
    {"sinks-known", sinks_known},
    {"server-time-known", server_time_known},
    {"no-key-in-use", no_key_in_use},
    {"rolled-back", rolled_back},
    {"asked-for", asked_for},
    {"spec-changed", spec_changed},
    {"due", due},
    {"sink-behind", sink_behind},
    {"left-over", left_over},
    {"in-use", in_use},
}};

// A number in [0, 1) that is the same whenever it is asked for.
double fraction_of(TokenId id) {
  constexpr double range = 4294967296.0;
  return crc32_ieee(std::to_string(id.value())) / range;
}

}  // namespace

const ListedToken* token_of(const Inputs& inputs, const sink::MarkerEntry& entry) {
  const ListedToken* token = find(inputs, entry.generation);
  return token != nullptr && token->id == entry.token_id ? token : nullptr;
}

std::optional<std::size_t> newest_key(const Inputs& inputs) {
  std::optional<std::size_t> newest;
  for (std::size_t i = 0; i < inputs.sinks.size(); ++i) {
    const SinkInputs& sink = inputs.sinks[i];
    if (sink.key_state != KeyState::present || !sink.key_entry || !usable(token_of(inputs, *sink.key_entry))) continue;
    if (!newest || sink.key_entry->generation > inputs.sinks[*newest].key_entry->generation) newest = i;
  }
  return newest;
}

std::optional<WallTime> rotation_due(const ListedToken& token, const Policy& policy) {
  if (!token.expiration || !policy.ttl || !policy.rotate_before) return std::nullopt;
  const seconds before = *policy.rotate_before;
  // Never so early that a fresh key would be due soon.
  const double most = static_cast<double>(std::min(before / 10, (*policy.ttl - before) / 2).count());
  return *token.expiration - before - seconds(static_cast<std::int64_t>(most * fraction_of(token.id)));
}

std::uint32_t next_generation(const Inputs& inputs) {
  std::uint32_t highest = 0;
  for (const SinkInputs& sink : inputs.sinks) highest = std::max(highest, sink.marker_generation);
  for (const ListedToken& token : inputs.tokens) highest = std::max(highest, token.generation);
  if (!inputs.record) return highest + 1;
  const state::SlotRecord& record = *inputs.record;
  // An intent newer than everything seen, and not listed: Grafana never made it.
  if (record.phase == state::Phase::intent && record.generation > highest) return record.generation;
  return std::max(highest, record.generation) + 1;
}

Decision decide(const Inputs& inputs, const Policy& policy) {
  const Slot slot(inputs, policy);
  for (const Check& check : chain) {
    Answer answer = check.ask(slot);
    if (!answer) continue;
    answer->check = check.name;
    // The next rotation is waited for, too.
    const auto rotation = slot.current() != nullptr ? rotation_due(*slot.current(), policy) : std::nullopt;
    if (rotation && (answer->step == Step::keep || answer->step == Step::revoke))
      answer->wake_at = std::min(answer->wake_at.value_or(*rotation), *rotation);
    return std::move(*answer);
  }
  return decision(Step::keep, "");  // not reached: the last check always answers
}

}  // namespace graft::token
