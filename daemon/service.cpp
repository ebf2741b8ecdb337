#include "daemon/service.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <malloc.h>
#include <thread>

#include "async/deadline.hpp"
#include "daemon/credential_file.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/report_log.hpp"
#include "daemon/request_desk.hpp"
#include "daemon/schedule.hpp"
#include "daemon/stopper.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds poll_interval{1'000};  // so that a change is seen within 2 s

class Service {
 public:
  Service(const ConfigSource& source, Clock& clock, Random& random, Log& log)
      : source_(source), clock_(clock), random_(random), log_(log) {}

  int run(const Settings& settings) {
    Result<std::unique_ptr<App>> app = App::make(settings, clock_, random_, log_, {});
    if (!app) return report_start_failure(app.error(), log_);
    app_ = std::move(*app);
    asio::co_spawn(io_, loop(),
                   asio::bind_cancellation_slot(stopper_.slot(),
                                                [this](const std::exception_ptr& failure) { finished(failure); }));
    io_.run();
    app_.reset();
    log_.info("stopped", {{"exit_code", std::to_string(exit_code_)}});
    return exit_code_;
  }

 private:
  void finished(const std::exception_ptr& failure) {
    if (failure && !stopper_.stopping()) {
      exit_code_ = exit_bug;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        log_.error("a bug in graftd", {{"err", error.what()}});
      } catch (...) {
        log_.error("a bug in graftd");
      }
    }
    stopper_.finished();
    wake_.cancel();
  }

  // A command that took the lock in the moment in which nobody held it gives it back soon.
  Result<std::unique_ptr<App>> make_app(const Settings& settings, const App::Options& options) {
    constexpr int tries = 50;
    constexpr std::chrono::milliseconds pause{100};
    Result<std::unique_ptr<App>> app = App::make(settings, clock_, random_, log_, options);
    for (int i = 1; i < tries && !app && app.error().code == ErrorCode::blocked; ++i) {
      std::this_thread::sleep_for(pause);
      app = App::make(settings, clock_, random_, log_, options);
    }
    return app;
  }

  // All or nothing: a configuration with errors leaves everything as it is.
  void reload() {
    reload_ = false;
    LoadedConfig loaded = load_config(source_, Need::everything);
    log_diagnostics(loaded.diagnostics, log_);
    if (loaded.diagnostics.has_errors()) {
      log_.error("configuration not reloaded: it has errors; the running one stays in force");
      return;
    }
    // The state directory is locked by the old App, so the new one opens it after the old one is gone; one that cannot
    // be opened any more is the old one's as well.
    const Settings old = app_->settings();
    App::Options options;
    options.last_good = app_->cycle().last_good();  // bad manifests found after a reload change nothing either
    app_.reset();
    Result<std::unique_ptr<App>> app = make_app(loaded.settings, options);
    if (!app) {
      log_.error("configuration not reloaded", {{"err", app.error().describe()}});
      app = make_app(old, options);
    }
    if (!app) {
      exit_code_ = report_start_failure(app.error(), log_);
      stopper_.stop_from_within();
      return;
    }
    app_ = std::move(*app);
    log_.info("configuration reloaded");
  }

  asio::awaitable<void> loop() {
    log_.info("started", {{"grafana", app_->settings().url}, {"manifests", app_->settings().manifests_directory}});
    while (!stopper_.stopping()) {
      if (reload_) reload();
      if (stopper_.stopping()) break;
      const reconcile::Report report = co_await cycle();
      if (const int code = hopeless(report); code != 0) {
        exit_code_ = code;
        break;
      }
      failures_ = report.stopped ? failures_ + 1 : 0;
      const Pace pace{app_->settings().interval, failures_, random_.unit()};
      co_await wait(pause_after(report, pace));
    }
  }

  asio::awaitable<reconcile::Report> cycle() {
    credential_stamp_ = credential_stamp(app_->settings());
    if (Status read = app_->refresh_credential(); !read) {
      log_.error("credential not read", {{"err", read.error().describe()}});
      if (!app_->gate().has_credential()) {
        reconcile::Report report;
        report.stopped = std::move(read.error());
        co_return report;
      }
    }
    const auto stopping = [this] { return stopper_.stopping(); };
    desk_.begin_cycle(app_->store());
    reconcile::Report report = co_await app_->cycle().run_once(reconcile::Mode::apply, stopping);
    desk_.end_cycle(app_->store(), report, clock_.wall(), log_);
    log_manifest_problems(report);
    log_report(report, log_);
    ::malloc_trim(0);  // a cycle reads much and keeps little; what it needed goes back to the machine
    co_return report;
  }

  // Once, not at every cycle that meets the same ones.
  void log_manifest_problems(const reconcile::Report& report) {
    std::string problems;
    for (const Diagnostic& item : report.diagnostics.items()) problems += item.to_string() + "\n";
    if (problems != logged_problems_) log_diagnostics(report.diagnostics, log_);
    logged_problems_ = std::move(problems);
  }

  // Manifests that have never been good need a person, as at any start (exit code 65); later, the last good ones stay.
  int hopeless(const reconcile::Report& report) {
    const bool first =
        !had_manifests_ && report.manifests_rejected && report.stopped && report.stopped->code == ErrorCode::invalid;
    if (!report.manifests_rejected) had_manifests_ = true;
    return first ? exit_bad_manifests : 0;
  }

  // Until the time is over, a signal comes, or something that we depend on has changed.
  asio::awaitable<void> wait(std::chrono::milliseconds pause) {
    const SteadyTime until = clock_.steady() + pause;
    while (!stopper_.stopping() && !reload_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.steady());
      if (left <= std::chrono::milliseconds(0)) co_return;
      wake_.expires_after(std::min(left, poll_interval));
      boost::system::error_code ignored;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (desk_.waiting(app_->store()) || app_->manifests().changed() ||
          credential_stamp(app_->settings()) != credential_stamp_)
        co_return;
    }
  }

  const ConfigSource& source_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  asio::io_context io_{1};
  asio::steady_timer wake_{io_};
  Stopper stopper_{io_, log_, [this] { wake_.cancel(); },
                   [this] {
                     reload_ = true;
                     wake_.cancel();
                   }};
  std::unique_ptr<App> app_;
  RequestDesk desk_;
  std::string credential_stamp_, logged_problems_;
  int failures_ = 0, exit_code_ = exit_ok;
  bool reload_ = false, had_manifests_ = false;
};

}  // namespace

int serve(Settings settings, const ConfigSource& source, Clock& clock, Random& random, Log& log) {
  Service service(source, clock, random, log);
  return service.run(settings);
}

}  // namespace graft::daemon
