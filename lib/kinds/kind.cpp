#include "kinds/kind.hpp"

#include "model/diff.hpp"

namespace graft::kinds {

Verdict Kind::compare(const ServerFacts&, const Desired& desired, const Observed* observed) const {
  Verdict verdict;
  if (observed == nullptr) {
    verdict.verb = Verb::create;
  } else if (observed->digest != desired.digest) {
    verdict.verb = Verb::update;
    verdict.changes = diff(observed->canonical, desired.canonical);
  }
  return verdict;
}

Observed make_observed(const Desired& desired, std::string id, std::string version, std::string canonical) {
  Observed observed;
  observed.key = desired.key;
  observed.id = std::move(id);
  observed.version = std::move(version);
  observed.digest = Digest::of(canonical);
  if (observed.digest != desired.digest) observed.canonical = std::move(canonical);
  return observed;
}

Verdict blocked(std::string reason) {
  Verdict verdict;
  verdict.verb = Verb::blocked;
  verdict.reason = std::move(reason);
  return verdict;
}

}  // namespace graft::kinds
