#include "daemon/commands/one_cycle.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <csignal>
#include <cstdio>

#include "daemon/app.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/logger.hpp"
#include "daemon/report_log.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;

reconcile::Report run_cycle(asio::io_context& io, App& app, reconcile::Mode mode) {
  bool stopping = false;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) { stopping = stopping || !error; });
  reconcile::Report report;
  std::exception_ptr failure;
  auto cycle = app.cycle().run_once(mode, [&stopping] { return stopping; });
  asio::co_spawn(io, std::move(cycle), [&](std::exception_ptr thrown, reconcile::Report made) {
    failure = std::move(thrown);
    report = std::move(made);
    signals.cancel();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return report;
}

}  // namespace

int one_cycle(const ConfigSource& source, reconcile::Mode mode,
              const std::function<int(const reconcile::Report&)>& show) {
  std::optional<Settings> settings = settings_or_complain(source);
  if (!settings) return exit_bad_config;
  const std::unique_ptr<Log> log = make_logger(settings->log_level, settings->log_format);
  App::Options options;
  options.state = mode == reconcile::Mode::plan ? state::OpenMode::shared : state::OpenMode::read_write;
  asio::io_context io{1};  // outlives the App, whose kept connections belong to it
  Result<std::unique_ptr<App>> app = App::make(*settings, system_clock(), system_random(), *log, options);
  if (!app) return report_start_failure(app.error(), *log);
  if (Status credential = (*app)->refresh_credential(); !credential) {
    std::fprintf(stderr, "graftd: %s\n", credential.error().describe().c_str());
    return exit_bad_config;
  }
  const reconcile::Report report = run_cycle(io, **app, mode);
  print_diagnostics(report.diagnostics);
  if (report.stopped || report.manifests_rejected) {
    if (report.stopped) std::fprintf(stderr, "graftd: %s\n", report.stopped->describe().c_str());
    return report.manifests_rejected ? exit_bad_manifests : exit_code_of(*report.stopped);
  }
  return show(report);
}

}  // namespace graft::daemon
