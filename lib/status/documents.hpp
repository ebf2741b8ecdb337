// The documents of the HTTP API (openapi.json describes them), as JSON texts. Pure. Nothing in them is a secret: they
// are made of manifests, of Grafana's messages, and of the state store.
#pragma once

#include <span>
#include <string>

#include "state/store.hpp"
#include "status/facts.hpp"

namespace graft::status {

inline constexpr std::size_t problems_shown = 200;

[[nodiscard]] std::string status_document(const Facts& facts, WallTime now);
[[nodiscard]] std::string resources_document(const Overview* overview);
[[nodiscard]] std::string plan_document(const Facts& facts);
[[nodiscard]] std::string tokens_document(const Slots* slots, WallTime now);
[[nodiscard]] std::string history_document(std::span<const state::Change> changes, bool more);

// One element of each, on one line.
[[nodiscard]] std::string change_document(const state::Change& change);
[[nodiscard]] std::string cycle_document(const CycleRecord& cycle);
[[nodiscard]] std::string progress_document(const Progress& progress);
// {"state", "resourcesVersion"}: what the stream says when something may have changed.
[[nodiscard]] std::string changed_document(const Facts& facts);

}  // namespace graft::status
