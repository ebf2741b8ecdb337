// The routes of the HTTP endpoint: what is answered to whom. lib/admin/openapi.json describes them; a test holds the
// two against each other.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "admin/server.hpp"
#include "base/clock.hpp"
#include "daemon/triggers.hpp"
#include "metrics/metrics.hpp"
#include "state/store.hpp"
#include "status/facts.hpp"
#include "supervise/heartbeat.hpp"

namespace graft::daemon {

// All outlive the routes, and may be used from the endpoint's thread.
struct RouteParts {
  status::Board& board;
  metrics::Metrics& metrics;
  supervise::Heartbeat& heartbeat;
  Triggers& triggers;
  Clock& clock;
  std::function<std::shared_ptr<state::Store>()> store;  // the one that is in use now
  boost::asio::thread_pool* disk = nullptr;              // for what blocks; null: the endpoint's thread waits
};

[[nodiscard]] std::vector<admin::Route> make_routes(const RouteParts& parts);

}  // namespace graft::daemon
