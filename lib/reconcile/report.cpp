#include "reconcile/report.hpp"

#include <algorithm>

namespace graft::reconcile {

std::size_t Report::count(Outcome outcome) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(results, [&](const ActionResult& result) { return result.outcome == outcome; }));
}

bool Report::converged() const {
  return !stopped && !manifests_rejected && count(Outcome::failed) == 0 && count(Outcome::skipped) == 0;
}

}  // namespace graft::reconcile
