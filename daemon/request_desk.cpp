#include "daemon/request_desk.hpp"

#include <algorithm>

namespace graft::daemon {

namespace {

constexpr std::chrono::minutes longest_wait{10};

bool declared(const reconcile::Report& report, const state::Request& request) {
  return std::ranges::any_of(report.state->resources, [&](const Desired& desired) {
    return desired.key.kind == kind_service_account_token && desired.key.organization == request.organization &&
           desired.key.name == request.name;
  });
}

}  // namespace

bool RequestDesk::waiting(state::Store& store) const {
  const auto open = store.open_requests();
  return open && !open->empty() && open->back().id > seen_;
}

void RequestDesk::begin_cycle(state::Store& store) {
  const auto open = store.open_requests();
  if (open && !open->empty()) seen_ = std::max(seen_, open->back().id);
}

void RequestDesk::end_cycle(state::Store& store, const reconcile::Report& report, WallTime now, Log& log) {
  const auto open = store.open_requests();
  if (!open) return;
  for (const state::Request& request : *open) {
    const bool stale = now - request.asked_at >= longest_wait;
    const bool unknown = request.id <= seen_ && report.state && !declared(report, request);
    if (!stale && !unknown) continue;
    const Status answered = store.answer(
        request.id, state::Request::State::failed,
        unknown ? "the manifests declare no such token" : "it could not be looked at within ten minutes; ask again");
    if (!answered) log.warning("request not answered", {{"err", answered.error().describe()}});
  }
}

}  // namespace graft::daemon
