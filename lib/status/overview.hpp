// How every declared resource stands: the picture that the status page, the metrics and the history are drawn from.
// Made of the report of a cycle and of the picture before it; a value, and pure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/resource.hpp"
#include "reconcile/report.hpp"

namespace graft::status {

enum class ResourceState : std::uint8_t {
  in_sync,  // as declared
  drifted,  // differs, and was not mended: graftd only compares (suspended), or did not come to it
  failed,   // refused, by Grafana or by us
  held,     // must wait: for a time, or for a person
  skipped,  // what it needs failed or is not known
};
inline constexpr std::array resource_states{ResourceState::in_sync, ResourceState::drifted, ResourceState::failed,
                                            ResourceState::held, ResourceState::skipped};
[[nodiscard]] std::string_view to_string(ResourceState state);  // "in_sync"

struct Counts {
  std::array<std::size_t, resource_states.size()> of{};
  [[nodiscard]] std::size_t operator[](ResourceState state) const { return of.at(static_cast<std::size_t>(state)); }
  void add(ResourceState state) { ++of.at(static_cast<std::size_t>(state)); }
  [[nodiscard]] std::size_t total() const;
};

struct Entry {
  const Desired* desired = nullptr;  // lives as long as the Overview
  ResourceState state = ResourceState::in_sync;
  WallTime since;                      // of that state
  std::optional<WallTime> changed_at;  // when graftd changed it last, in the life of this process
  std::optional<Digest> applied;       // what was wanted when it was last seen in sync
  bool from_start = false;             // it was found different by the first cycle, and has not been in sync since
  std::string message, hint;           // why it is not in sync, and what to do next
};

struct Overview {
  std::vector<Entry> entries;                 // by key
  std::uint64_t version = 0;                  // grows when anything but a time has changed
  std::shared_ptr<const void> state, wanted;  // keep alive what the entries point to

  [[nodiscard]] const Entry* find(const ResourceKey& key) const;
  [[nodiscard]] Counts counts() const;
};

// `before` may be null. A report that was stopped before anything was compared leaves the picture as it was.
[[nodiscard]] std::shared_ptr<const Overview> make_overview(const std::shared_ptr<const Overview>& before,
                                                            const reconcile::Report& report, WallTime now);

// Why a resource was changed: "manifest" (the manifests want something else than before), "drift" (somebody changed it,
// the manifests did not), "start" (found different by the first cycle of a process: nobody knows since when); of a
// token "rotation", "request", "recovery".
[[nodiscard]] std::string_view cause_of(const Overview* before, const Desired& desired, const Verdict& verdict);

// An error's words without its place and hint.
[[nodiscard]] std::string words_of(const Error& error);

}  // namespace graft::status
