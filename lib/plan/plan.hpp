// Plan: what one cycle is going to do, as a value. `graftd plan`, `apply`, `run` and the tests share it; it renders to
// text and JSON (render.hpp). Pure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "model/resource.hpp"
#include "model/snapshot.hpp"
#include "model/verdict.hpp"

namespace graft::plan {

struct Action {
  const Desired* desired = nullptr;  // lives as long as the desired state that the plan was made from
  Verdict verdict;
  Observed observed;  // meaningful for update
  [[nodiscard]] const ResourceKey& key() const { return desired->key; }
};

struct Counts {
  std::size_t in_sync = 0, create = 0, update = 0, remove = 0, held = 0, blocked = 0, unknown = 0;
  std::size_t unread = 0;  // of the unknown: what could not be read
  [[nodiscard]] std::size_t changes() const { return create + update + remove; }
  [[nodiscard]] bool nothing_to_do() const { return changes() + held + blocked + unknown == 0; }
};

struct Plan {
  std::vector<Action> actions;  // all but Verb::none; in the order in which they may be carried out
  std::size_t in_sync = 0;
  std::optional<WallTime> wake_at;  // server time at which a resource, in sync or not, wants to be looked at again
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::string digest() const;  // short; equal for equal plans
  void append(Plan later);
};

// What the planner is told. `compare` is the kinds' compare(); `rank` their fixed order (organizations first).
struct Input {
  std::span<const Desired* const> desired;
  const Snapshot& snapshot;
  const std::unordered_set<std::string>& unknown_organizations;  // not made or not joined yet: content not known
  const std::unordered_map<std::string, std::string>& refused_organizations;  // out of reach for this login, and why
  std::function<Verdict(const Desired&, const Observed*)> compare;
  std::function<int(KindName)> rank;
};

// Order: organizations first, then by rank within each organization, what is needed before what needs it; ties by key.
// A resource in a gap is Verb::unknown, never "create".
[[nodiscard]] Plan make_plan(const Input& input);

// The desired resources in the order above. A ring (refused by `check`) leaves its members at the end.
[[nodiscard]] std::vector<const Desired*> ordered(std::span<const Desired* const> desired,
                                                  const std::function<int(KindName)>& rank);

}  // namespace graft::plan
