#include "plan/plan.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>
#include <unordered_map>

#include "base/hash.hpp"

namespace graft::plan {

namespace {

Verdict unknown(std::string reason) {
  Verdict verdict;
  verdict.verb = Verb::unknown;
  verdict.reason = std::move(reason);
  return verdict;
}

void wake_no_later(Plan& plan, const std::optional<WallTime>& at) {
  if (at) plan.wake_at = std::min(plan.wake_at.value_or(*at), *at);
}

Verdict judge(const Input& input, const Desired& desired, const Observed* observed) {
  const std::string& organization = desired.key.organization;
  if (const auto refused = input.refused_organizations.find(organization);
      refused != input.refused_organizations.end() && desired.key.kind != kind_organization) {
    Verdict verdict;
    verdict.verb = Verb::blocked;
    verdict.reason = refused->second;
    return verdict;
  }
  if (desired.key.kind != kind_organization && input.unknown_organizations.contains(organization))
    return unknown("not known until the organization is made or joined");
  if (const Gap* gap = input.snapshot.gap(organization, desired.key.kind)) {
    Verdict verdict = unknown("could not be read: " + gap->why.describe());
    verdict.unread = true;
    return verdict;
  }
  return input.compare(desired, observed);
}

// Depth-first over `needs`, visiting in rank order: what is needed comes out before what needs it.
class Sorter {
 public:
  explicit Sorter(const std::vector<const Desired*>& by_rank) {
    for (const Desired* desired : by_rank) by_key_.emplace(desired->key, desired);
  }

  void visit(const Desired* desired) {
    if (!seen_.insert(desired).second) return;
    for (const ResourceKey& need : desired->needs)
      if (const auto found = by_key_.find(need); found != by_key_.end()) visit(found->second);
    out.push_back(desired);
  }

  std::vector<const Desired*> out;

 private:
  std::unordered_map<ResourceKey, const Desired*> by_key_;
  std::unordered_set<const Desired*> seen_;
};

}  // namespace

std::vector<const Desired*> ordered(std::span<const Desired* const> desired, const std::function<int(KindName)>& rank) {
  std::vector<const Desired*> by_rank(desired.begin(), desired.end());
  const auto place = [&](const Desired* d) {
    return std::tuple(d->key.kind != kind_organization, std::cref(d->key.organization), rank(d->key.kind),
                      std::cref(d->key.name));
  };
  std::stable_sort(by_rank.begin(), by_rank.end(), [&](const Desired* a, const Desired* b) {
    const auto [a_late, a_org, a_rank, a_name] = place(a);
    const auto [b_late, b_org, b_rank, b_name] = place(b);
    return std::tie(a_late, a_org.get(), a_rank, a_name.get()) < std::tie(b_late, b_org.get(), b_rank, b_name.get());
  });
  Sorter sorter(by_rank);
  sorter.out.reserve(by_rank.size());
  for (const Desired* one : by_rank) sorter.visit(one);
  return std::move(sorter.out);
}

Plan make_plan(const Input& input) {
  Plan plan;
  for (const Desired* desired : ordered(input.desired, input.rank)) {
    const Observed* observed = input.snapshot.find(desired->key);
    Verdict verdict = judge(input, *desired, observed);
    wake_no_later(plan, verdict.wake_at);
    if (verdict.verb == Verb::none) {
      ++plan.in_sync;
      continue;
    }
    plan.actions.push_back({desired, std::move(verdict), observed != nullptr ? *observed : Observed{}});
  }
  return plan;
}

Counts Plan::counts() const {
  Counts counts;
  counts.in_sync = in_sync;
  for (const Action& action : actions) {
    switch (action.verdict.verb) {
      case Verb::none:
        break;
      case Verb::create:
        ++counts.create;
        break;
      case Verb::update:
        ++counts.update;
        break;
      case Verb::wait:
        ++counts.held;
        break;
      case Verb::blocked:
        ++counts.blocked;
        break;
      case Verb::unknown:
        ++counts.unknown;
        counts.unread += action.verdict.unread ? 1 : 0;
        break;
    }
  }
  return counts;
}

std::string Plan::digest() const {
  std::string text;
  for (const Action& action : actions) {
    text += fmt::format("{}\n{}\n", to_string(action.verdict.verb), action.key().to_string());
    for (const FieldChange& change : action.verdict.changes)
      text += fmt::format("{}\n{}\n{}\n", change.pointer, change.before, change.after);
  }
  return sha256_hex(text).substr(0, 12);
}

void Plan::append(Plan later) {
  in_sync += later.in_sync;
  wake_no_later(*this, later.wake_at);
  actions.insert(actions.end(), std::make_move_iterator(later.actions.begin()),
                 std::make_move_iterator(later.actions.end()));
}

}  // namespace graft::plan
