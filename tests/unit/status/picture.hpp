// A little world of three folders, and reports about it, for the tests of status.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "manifest/loader.hpp"
#include "status/overview.hpp"

namespace graft::test {

class Picture {
 public:
  Picture() { want({"a", "b", "c"}); }

  // What the manifests declare from now on. `version` is part of each document.
  void want(const std::vector<std::string>& names, const std::string& version = "1") {
    auto state = std::make_shared<manifest::DesiredState>();
    for (const std::string& name : names) {
      Desired desired;
      desired.key = {kind_folder, "org", name};
      desired.canonical = name + version;
      desired.digest = Digest::of(desired.canonical);
      desired.at = {std::make_shared<const std::string>("org.yaml"), 3, 1};
      state->resources.push_back(std::move(desired));
    }
    state->revision = "rev" + version;
    state_ = std::move(state);
  }

  [[nodiscard]] reconcile::Report report() const {
    reconcile::Report made;
    made.compared = true;
    made.state = state_;
    made.revision = state_->revision;
    made.plan.in_sync = state_->resources.size();
    return made;
  }

  [[nodiscard]] const Desired& desired(const std::string& name) const {
    for (const Desired& one : state_->resources)
      if (one.key.name == name) return one;
    throw std::runtime_error("no folder " + name);
  }

  plan::Action& plan(reconcile::Report& report, const std::string& name, Verb verb) const {
    plan::Action action;
    action.desired = &desired(name);
    action.verdict.verb = verb;
    report.plan.actions.push_back(std::move(action));
    --report.plan.in_sync;
    return report.plan.actions.back();
  }
  void done(reconcile::Report& report, const std::string& name) const {
    plan(report, name, Verb::update);
    report.results.push_back({desired(name).key, Verb::update, reconcile::Outcome::done, {}, {}});
  }
  void failed(reconcile::Report& report, const std::string& name, const std::string& why) const {
    plan(report, name, Verb::update);
    report.results.push_back({desired(name).key,
                              Verb::update,
                              reconcile::Outcome::failed,
                              Error(ErrorCode::rejected, why).with_hint("mend it"),
                              {}});
  }

 private:
  std::shared_ptr<const manifest::DesiredState> state_;
};

}  // namespace graft::test
