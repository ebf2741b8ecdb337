// What was seen of the live Grafana in one cycle. A scope that could not be read whole is a gap: nothing in a gap is
// believed absent, so nothing in it is created or deleted this cycle (T18).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "model/resource.hpp"

namespace graft {

struct Gap {
  std::string organization;  // whose content
  KindName kind;             // of which kind
  Error why;
};

class Snapshot {
 public:
  void add(Observed observed) {
    ResourceKey key = observed.key;
    resources_.insert_or_assign(std::move(key), std::move(observed));
  }
  void add_gap(Gap gap) { gaps_.push_back(std::move(gap)); }

  [[nodiscard]] const Observed* find(const ResourceKey& key) const {
    const auto found = resources_.find(key);
    return found == resources_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const Gap* gap(const std::string& organization, KindName kind) const {
    for (const Gap& gap : gaps_)
      if (gap.organization == organization && gap.kind == kind) return &gap;
    return nullptr;
  }
  [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }
  [[nodiscard]] std::size_t size() const { return resources_.size(); }

 private:
  std::unordered_map<ResourceKey, Observed> resources_;
  std::vector<Gap> gaps_;
};

}  // namespace graft
