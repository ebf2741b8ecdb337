#include "token/slot.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/duration.hpp"

namespace graft::token {

namespace {

using sink::KeyState;

Decision decision(Step step, std::string reason) {
  Decision made;
  made.step = step;
  made.reason = std::move(reason);
  return made;
}

// The inputs and what follows from them, so that each check is a few lines.
class Slot {
 public:
  Slot(const Inputs& read, const Policy& rules) : in(read), policy(rules), current_(find_current()) {}

  const Inputs& in;
  const Policy& policy;

  [[nodiscard]] const ListedToken* current() const { return current_; }

  // Why there is no current token; empty when there is one.
  [[nodiscard]] std::string why_no_current() const {
    if (current_ != nullptr) return {};
    if (in.key_state == KeyState::missing) return in.tokens.empty() ? "no key yet" : "the key is missing from its sink";
    if (in.key_state == KeyState::malformed) return "the sink holds no sound key: " + in.key_problem;
    if (!in.key_entry) return "the sink holds a key that graftd did not put there";
    if (in.proof == Proof::wrong_account) return "the key in the sink belongs to another account";
    if (in.proof == Proof::refused) return "Grafana refuses the key in the sink";
    const ListedToken* token = find(in.key_entry->generation);
    if (token == nullptr || token->id != in.key_entry->token_id) return "the token of the key in the sink is gone";
    if (token->revoked) return "Grafana has revoked the token of the key in the sink";
    return "the token of the key in the sink has expired";
  }

  [[nodiscard]] bool undelivered(const ListedToken& token) const {
    return in.record && in.record->phase == state::Phase::intent && in.record->generation == token.generation &&
           !token.last_used;
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

  [[nodiscard]] WallTime may_delete_orphan_at(const ListedToken& token) const {
    return token.created + policy.orphan_age;
  }

 private:
  [[nodiscard]] const ListedToken* find(std::uint32_t generation) const {
    const auto found =
        std::ranges::find_if(in.tokens, [&](const ListedToken& t) { return t.generation == generation; });
    return found == in.tokens.end() ? nullptr : &*found;
  }

  [[nodiscard]] const ListedToken* find_current() const {
    if (in.key_state != KeyState::present || !in.key_entry) return nullptr;
    if (in.proof == Proof::refused || in.proof == Proof::wrong_account) return nullptr;
    const ListedToken* token = find(in.key_entry->generation);
    if (token == nullptr || token->id != in.key_entry->token_id || token->expired || token->revoked) return nullptr;
    return token;
  }

  const ListedToken* current_;
};

constexpr std::chrono::seconds proof_pause{30};  // until the key in use may be asked about again

using Answer = std::optional<Decision>;

Answer list_known(const Slot& slot) {
  if (slot.in.list_problem.empty()) return std::nullopt;
  return decision(Step::unknown, slot.in.list_problem);
}

Answer sink_known(const Slot& slot) {
  if (slot.in.sink_problem.empty()) return std::nullopt;
  return decision(Step::unknown, slot.in.sink_problem);
}

Answer server_time_known(const Slot& slot) {
  if (slot.in.server_now) return std::nullopt;
  return decision(Step::unknown, "Grafana's answers carry no readable Date, so nothing can be told of ages");
}

// Rule B: without a key in use and with an orphan that is too young to be deleted, wait for it.
Answer young_orphan(const Slot& slot) {
  if (slot.current() != nullptr) return std::nullopt;
  std::optional<WallTime> until;
  for (const ListedToken* orphan : slot.orphans()) {
    const WallTime at = slot.may_delete_orphan_at(*orphan);
    if (*slot.in.server_now < at) until = std::max(until.value_or(at), at);
  }
  if (!until) return std::nullopt;
  Decision made =
      decision(Step::wait, fmt::format("a token whose key was lost before delivery is too young to be deleted; "
                                       "a new key is made in {}",
                                       format_duration(*until - *slot.in.server_now)));
  made.wake_at = until;
  return made;
}

// Rules B, C, E, N: no key in use: make the next generation. Orphans go first; what may be in use is left to grace.
Answer no_key_in_use(const Slot& slot) {
  if (slot.current() != nullptr) return std::nullopt;
  Decision made = decision(Step::issue, slot.why_no_current());
  made.generation = next_generation(slot.in);
  for (const ListedToken* orphan : slot.orphans()) made.revoke.push_back(orphan->id);
  return made;
}

// Rule C, second half: a newer token that may have been handed out means that the sink was rolled back.
Answer rolled_back(const Slot& slot) {
  const bool newer_in_use = std::ranges::any_of(slot.in.tokens, [&](const ListedToken& token) {
    return slot.newer_than_current(token) && !slot.undelivered(token) && !token.expired && !token.revoked;
  });
  if (!newer_in_use) return std::nullopt;
  Decision made = decision(Step::issue, "the sink holds an older key than the newest one that was handed out");
  made.generation = next_generation(slot.in);
  return made;
}

// The key is right and in use, but not everybody who may read it was declared, or the other way round.
Answer wrong_access(const Slot& slot) {
  if (slot.in.access_found == slot.in.access_wanted) return std::nullopt;
  return decision(Step::rewrite, slot.in.access_found + " instead of " + slot.in.access_wanted);
}

// Rules C (first half) and D: orphans by age, superseded tokens by grace, dead ones at once.
Answer left_over(const Slot& slot) {
  Decision made = decision(Step::revoke, "tokens of earlier generations are no longer needed");
  const WallTime now = *slot.in.server_now;
  const WallTime grace_ends = slot.in.key_entry->delivered_at + slot.policy.grace;
  const auto consider = [&](const ListedToken& token, WallTime due) {
    if (now >= due || token.expired || token.revoked) {
      made.revoke.push_back(token.id);
    } else {
      made.wake_at = std::min(made.wake_at.value_or(due), due);
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

struct Check {
  std::string_view name;
  Answer (*ask)(const Slot&);
};

// The first check that answers decides.
constexpr std::array<Check, 8> chain{{
    {"list-known", list_known},
    {"sink-known", sink_known},
    {"server-time-known", server_time_known},
    {"young-orphan", young_orphan},
    {"no-key-in-use", no_key_in_use},
    {"rolled-back", rolled_back},
    {"wrong-access", wrong_access},
    {"left-over", left_over},
}};

}  // namespace

std::uint32_t next_generation(const Inputs& inputs) {
  std::uint32_t highest = inputs.marker_generation;
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
    if (Answer answer = check.ask(slot)) {
      answer->check = check.name;
      return std::move(*answer);
    }
  }
  Decision made = decision(Step::keep, "the key is in its sink and alive");
  made.check = "in-use";
  return made;
}

}  // namespace graft::token
