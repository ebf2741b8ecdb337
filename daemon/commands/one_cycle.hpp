// What plan and apply share: one cycle, and its report.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "daemon/app.hpp"
#include "daemon/config.hpp"
#include "reconcile/cycle.hpp"

namespace graft::daemon {

// Runs one cycle to its end. SIGINT and SIGTERM let it stop after what is in flight.
[[nodiscard]] reconcile::Report run_cycle(boost::asio::io_context& io, App& app, reconcile::Mode mode, Log& log);

// Runs one cycle and hands its report to `show`, whose exit code is returned; a cycle that could not be carried out is
// explained on standard error instead. SIGINT and SIGTERM let it stop after what is in flight.
int one_cycle(const ConfigSource& source, reconcile::Mode mode,
              const std::function<int(const reconcile::Report&)>& show);

}  // namespace graft::daemon
