#include "daemon/commands/one_cycle.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "daemon/app.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/logger.hpp"
#include "daemon/report_log.hpp"
#include "daemon/stopper.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;

}  // namespace

reconcile::Report run_cycle(asio::io_context& io, App& app, reconcile::Mode mode, Log& log) {
  reconcile::Report report;
  std::exception_ptr failure;
  Stopper stopper(io, log, [] {}, nullptr);
  auto cycle = app.cycle().run_once(mode, [&stopper] { return stopper.stopping(); });
  asio::co_spawn(io, std::move(cycle),
                 asio::bind_cancellation_slot(stopper.slot(), [&](std::exception_ptr thrown, reconcile::Report made) {
                   failure = std::move(thrown);
                   report = std::move(made);
                   stopper.finished();
                 }));
  io.run();
  if (failure) std::rethrow_exception(failure);
  return report;
}

int one_cycle(const ConfigSource& source, reconcile::Mode mode,
              const std::function<int(const reconcile::Report&)>& show) {
  std::optional<Settings> settings = settings_or_complain(source);
  if (!settings) return exit_bad_config;
  const std::unique_ptr<Log> log = make_logger(settings->log_level, settings->log_format);
  App::Options options;
  options.state = mode == reconcile::Mode::plan ? state::OpenMode::shared : state::OpenMode::read_write;
  options.manifests.whom = mode == reconcile::Mode::plan ? ManifestOptions::For::look : ManifestOptions::For::apply;
  asio::io_context io{1};  // outlives the App, whose kept connections belong to it
  Result<std::unique_ptr<App>> app = App::make(*settings, system_clock(), system_random(), *log, options);
  if (!app) return report_start_failure(app.error(), *log);
  if (Status credential = (*app)->refresh_credential(); !credential) {
    std::fprintf(stderr, "graftd: %s\n", credential.error().describe().c_str());
    return exit_bad_config;
  }
  while (!(*app)->manifests().settled()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const reconcile::Report report = run_cycle(io, **app, mode, *log);
  print_diagnostics(report.diagnostics);
  if (report.stopped || report.manifests_rejected) {
    if (report.stopped) std::fprintf(stderr, "graftd: %s\n", report.stopped->describe().c_str());
    return report.manifests_rejected ? exit_bad_manifests : exit_code_of(*report.stopped);
  }
  const int code = show(report);
  return report.logins_stopped ? static_cast<int>(exit_refused) : code;
}

}  // namespace graft::daemon
