#include "daemon/service.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <malloc.h>
#include <mutex>
#include <unistd.h>

#include "async/cancelled.hpp"
#include "daemon/credential_file.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/front.hpp"
#include "daemon/recorder.hpp"
#include "daemon/report_log.hpp"
#include "daemon/request_desk.hpp"
#include "daemon/schedule.hpp"
#include "daemon/stopper.hpp"
#include "daemon/version.hpp"
#include "daemon/webhook.hpp"
#include "status/documents.hpp"
#include "supervise/notifier.hpp"
#include "supervise/supervisor.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds farewell{1};
constexpr std::chrono::seconds patience{15};  // with a repository that does not answer

class Service {
 public:
  Service(const ConfigSource& source, Clock& clock, Random& random, Logger& log, const ServeOptions& options)
      : source_(source), clock_(clock), random_(random), log_(log), options_(options) {
    log_.on_line([this](LogLevel level) { metrics_.logged(level); });
    recorder_.on_loaded([this] {
      had_manifests_ = true;
      say_ready();
    });
  }
  ~Service() { log_.on_line({}); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  int run(const Settings& settings) {
    Result<std::unique_ptr<App>> app = make_app(settings, nullptr, ManifestOptions::For::service);
    if (!app) return report_start_failure(app.error(), log_);
    Result<std::unique_ptr<Webhook>> webhook = Webhook::make(settings, (*app)->store(), clock_, random_, log_);
    if (!webhook) return report_start_failure(webhook.error(), log_);
    use(std::move(*app), std::move(*webhook));
    recorder_.configuration(std::nullopt);
    if (Status opened = open_front(settings); !opened) return report_start_failure(opened.error(), log_);
    supervise::Supervisor supervisor(heartbeat_, notifier_, clock_, log_);
    const supervise::SupervisorThread supervision(supervisor, supervise::look_interval(supervise::watchdog_interval()));
    asio::co_spawn(io_, loop(),
                   asio::bind_cancellation_slot(stopper_.slot(),
                                                [this](const std::exception_ptr& failure) { finished(failure); }));
    beat();
    while (!done_) io_.run_one();
    io_.run_for(farewell);  // what was cancelled ends
    const bool stuck = !io_.stopped();
    front_.reset();
    app_.reset();
    log_.info("stopped", {{"exit_code", std::to_string(exit_code_)}});
    // A lookup of a name cannot be cancelled, and would be waited for (Asio's resolver runs getaddrinfo in a thread).
    if (stuck) ::_exit(exit_code_);
    return exit_code_;
  }

 private:
  void finished(const std::exception_ptr& failure) {
    done_ = true;
    if (failure && !async::is_cancellation(failure)) {
      exit_code_ = exit_bug;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        log_.error("a bug in graftd", {{"err", error.what()}});
      } catch (...) {
        log_.error("a bug in graftd");
      }
    }
    say_stopping();
    stopper_.finished();
    wake_.cancel();
    beat_.cancel();
    if (webhook_) webhook_->count_into(metrics_);
    webhook_.reset();
  }

  void stopping() {
    say_stopping();
    wake_.cancel();
  }

  void say_stopping() {
    if (!std::exchange(said_stopping_, true)) notifier_.stopping();
  }

  // On the loop's own thread: while it is blocked, nothing beats.
  void beat() {
    heartbeat_.beat();
    log_.tick();
    recorder_.tick();
    if (const auto progress = board_.progress(); progress && progress->total > 0)
      notifier_.status(status::status_line(*board_.facts(), clock_.wall()));
    if (webhook_) webhook_->count_into(metrics_);
    beat_.expires_after(options_.beat_interval);
    beat_.async_wait([this](boost::system::error_code error) {
      if (!error) beat();
    });
  }

  Result<std::unique_ptr<App>> make_app(const Settings& settings, std::shared_ptr<state::Store> store,
                                        ManifestOptions::For whom) {
    App::Options options;
    options.store = std::move(store);
    options.watcher = &recorder_;
    options.requests = &recorder_;
    options.keys = &recorder_;
    options.manifests = {whom, [this] { asio::post(io_, [this] { wake_.cancel(); }); }};
    if (app_) options.last_good = app_->cycle().last_good();
    if (app_) options.former_manifests = &app_->manifests();
    return App::make(settings, clock_, random_, log_, options);
  }

  void use(std::unique_ptr<App> app, std::unique_ptr<Webhook> webhook) {
    app_ = std::move(app);
    app_->manifests().take_into_use();
    if (webhook_) webhook_->count_into(metrics_);
    webhook_ = std::move(webhook);
    if (webhook_) webhook_->start(io_);
    recorder_.use(app_->settings(), app_->store());
    const std::lock_guard lock(store_mutex_);
    store_ = app_->store();
  }

  Status open_front(const Settings& settings) {
    triggers_.on_ask([this] { asio::post(io_, [this] { wake_.cancel(); }); });
    const RouteParts parts{board_, metrics_, heartbeat_, triggers_, clock_, [this] {
                             const std::lock_guard lock(store_mutex_);
                             return store_;
                           }};
    Result<std::unique_ptr<Front>> front = Front::start(settings, parts, broadcast_, log_);
    if (!front) return fail(std::move(front.error()));
    front_ = std::move(*front);
    return {};
  }

  // All or nothing: configuration, CA, credential and manifests are read and found good before any of them is taken
  // into use; else everything stays as it is.
  asio::awaitable<TriggerAnswer> reload() {
    if (said_ready_) notifier_.reloading();
    Reloaded reloaded = co_await try_reload();
    TriggerAnswer& answer = reloaded.answer;
    const std::string first = answer.problems.empty() ? std::string() : answer.problems.front();
    if (answer.done) {
      log_.info("configuration reloaded");
      recorder_.configuration(std::nullopt);
    } else {
      log_.error("configuration not reloaded; the running one stays in force",
                 {{"err", answer.text}, {"first", first}});
      recorder_.not_reloaded();
    }
    // Manifests and credentials are looked at by every cycle, which says what is wrong with them for as long as it is.
    if (!answer.done && reloaded.configuration_at_fault)
      recorder_.configuration(
          Error(ErrorCode::invalid, "the last reload failed: " + answer.text + (first.empty() ? "" : ": " + first))
              .with_hint("mend it and reload again; until then the earlier configuration is in force"));
    if (said_ready_) notifier_.ready();
    co_return std::move(answer);
  }

  struct Reloaded {
    TriggerAnswer answer;
    bool configuration_at_fault = false;
  };

  asio::awaitable<Reloaded> try_reload() {
    const LoadedConfig loaded = load_config(source_, Need::everything);
    log_diagnostics(loaded.diagnostics, "configuration problem", log_);
    if (loaded.diagnostics.has_errors())
      co_return Reloaded{refused("the configuration has errors", loaded.diagnostics), true};
    std::error_code elsewhere;
    const bool same_store =
        std::filesystem::equivalent(loaded.settings.state_directory, app_->settings().state_directory, elsewhere);
    Result<std::unique_ptr<App>> app =
        make_app(loaded.settings, same_store ? app_->store() : nullptr, ManifestOptions::For::candidate);
    if (!app) co_return not_reloaded(app.error(), true);
    if (Status credential = (*app)->refresh_credential(); !credential)
      co_return not_reloaded(credential.error(), false);
    (*app)->manifests().refresh();
    co_await settle((*app)->manifests());
    if (stopper_.stopping()) co_return not_reloaded(Error(ErrorCode::cancelled, "graftd is stopping"), false);
    if (!(*app)->manifests().has_something())
      co_return not_reloaded(
          Error(ErrorCode::timeout, fmt::format("{} has not answered yet", manifests_shown(loaded.settings))), false);
    const Result<manifest::LoadResult> manifests = (*app)->manifests().load();
    if (!manifests) co_return not_reloaded(manifests.error(), false);
    if (!manifests->state) co_return Reloaded{refused("the manifests have errors", manifests->diagnostics), false};
    Result<std::unique_ptr<Webhook>> webhook = Webhook::make(loaded.settings, (*app)->store(), clock_, random_, log_);
    if (!webhook) co_return not_reloaded(webhook.error(), true);
    warn_of_fixed(loaded.settings);
    if (!same_store) desk_ = {};  // numbers of requests begin anew there
    log_.set_level(loaded.settings.log_level);
    log_.set_format(loaded.settings.log_format);
    use(std::move(*app), std::move(*webhook));
    co_return Reloaded{{true, {}, {}}, false};
  }

  static Reloaded not_reloaded(const Error& error, bool configuration_at_fault) {
    return {{false, error.describe(), {}}, configuration_at_fault};
  }

  // Until a repository that was asked has answered, but not for long: what is in force goes on. The loop turns
  // meanwhile.
  asio::awaitable<void> settle(const ManifestSource& manifests) {
    constexpr std::chrono::milliseconds look{50};
    const SteadyTime until = clock_.steady() + patience;
    while (!stopper_.stopping() && !manifests.settled() && clock_.steady() < until) {
      wake_.expires_after(look);
      boost::system::error_code ignored;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  static TriggerAnswer refused(std::string text, const Diagnostics& diagnostics) {
    TriggerAnswer answer{false, std::move(text), {}};
    for (const Diagnostic& item : diagnostics.items())
      if (item.severity == Severity::error) answer.problems.push_back(item.to_string());
    return answer;
  }

  // The endpoint is opened once: who holds a connection to it keeps it.
  void warn_of_fixed(const Settings& fresh) {
    const Settings& now = app_->settings();
    const auto of_endpoint = [](const Settings& s) {
      return std::tie(s.http_listen, s.http_socket, s.http_hosts, s.http_token_file, s.http_cert_file, s.http_key_file,
                      s.http_allow_remote);
    };
    if (of_endpoint(fresh) != of_endpoint(now)) log_.warning("a change of http.* takes effect at the next start");
  }

  asio::awaitable<void> loop() {
    std::vector<LogField> fields{{"grafana", app_->settings().url}, {"manifests", manifests_shown(app_->settings())}};
    if (!front_->address().empty()) fields.emplace_back("status_page", front_->address());
    if (!front_->socket().empty()) fields.emplace_back("socket", front_->socket());
    log_.info("started", fields);
    while (!stopper_.stopping()) {
      const Triggers::Taken asked = triggers_.take();
      if (asked.reload) {
        TriggerAnswer answer = co_await reload();
        triggers_.answered(Trigger::reload, *asked.reload, std::move(answer));
      } else if (asked.sync) {
        app_->manifests().refresh();
      }
      // At the very first there is nothing else to begin with.
      do co_await settle(app_->manifests());
      while (!app_->manifests().has_something() && !stopper_.stopping());
      if (stopper_.stopping()) break;
      const reconcile::Report report = co_await cycle();
      if (asked.sync)
        triggers_.answered(Trigger::sync, *asked.sync, {true, status::cycle_document(recorder_.last_cycle()), {}});
      if (const int code = hopeless(report); code != 0) {
        exit_code_ = code;
        break;
      }
      failures_ = report.stopped ? failures_ + 1 : 0;
      const Pace pace{app_->settings().interval, failures_, random_.unit()};
      const std::chrono::milliseconds pause = pause_after(report, pace);
      recorder_.next_cycle_at(clock_.wall() + std::chrono::ceil<std::chrono::seconds>(pause));
      notifier_.status(status::status_line(*board_.facts(), clock_.wall()));
      co_await wait(pause);
    }
  }

  // After the first good load: configuration and manifests are sound, the state directory is ours.
  void say_ready() {
    if (!stopper_.stopping() && !std::exchange(said_ready_, true)) notifier_.ready();
  }

  asio::awaitable<reconcile::Report> cycle() {
    credential_stamp_ = credential_stamp(app_->settings());
    const std::uint64_t id = recorder_.begin_cycle();
    const CycleContext context(log_.context(), static_cast<std::int64_t>(id));
    log_.debug("cycle begins");
    std::optional<Error> unread;
    if (Status read = app_->refresh_credential(); !read) {
      log_.error("credential not read", {{"err", read.error().describe()}});
      unread = std::move(read.error());
    }
    recorder_.credential(unread);
    reconcile::Report report;
    desk_.begin_cycle(*app_->store());
    if (unread && !app_->gate().has_credential()) {
      report.stopped = std::move(*unread);
    } else {
      const auto stopping = [this] { return stopper_.stopping(); };
      const auto mode = app_->settings().suspend ? reconcile::Mode::plan : reconcile::Mode::apply;
      report = co_await app_->cycle().run_once(mode, stopping);
    }
    desk_.end_cycle(*app_->store(), report, clock_.wall(), log_);
    recorder_.end_cycle(report);  // before the log says so: who reads that finds it
    log_manifest_problems(report);
    log_report(report, log_);
    if (webhook_ && recorder_.has_events()) webhook_->wake();
    ::malloc_trim(0);  // a cycle reads much and keeps little; what it needed goes back to the machine
    co_return report;
  }

  // Once, not at every cycle that meets the same ones.
  void log_manifest_problems(const reconcile::Report& report) {
    std::string problems;
    for (const Diagnostic& item : report.diagnostics.items()) problems += item.to_string() + "\n";
    if (problems != logged_problems_) log_diagnostics(report.diagnostics, "manifest problem", log_);
    logged_problems_ = std::move(problems);
  }

  // Manifests that have never been good need a person, as at any start (exit code 65); later, the last good ones stay.
  // What is wrong in a repository can be put right there, with nobody at this machine.
  int hopeless(const reconcile::Report& report) {
    if (!app_->settings().git_url.empty()) return 0;
    const bool first =
        !had_manifests_ && report.manifests_rejected && report.stopped && report.stopped->code == ErrorCode::invalid;
    return first ? exit_bad_manifests : 0;
  }

  // Until the time is over, a signal comes, somebody asks for a cycle, or something that we depend on has changed.
  asio::awaitable<void> wait(std::chrono::milliseconds pause) {
    using std::chrono::milliseconds;
    const SteadyTime until = clock_.steady() + pause;
    while (!stopper_.stopping()) {
      milliseconds left = std::chrono::ceil<milliseconds>(until - clock_.steady());
      if (const auto asked = triggers_.due_in()) left = std::min(left, *asked);
      if (left <= milliseconds(0)) co_return;
      wake_.expires_after(std::min(left, options_.poll_interval));
      boost::system::error_code ignored;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (desk_.waiting(*app_->store()) || app_->manifests().changed() ||
          credential_stamp(app_->settings()) != credential_stamp_)
        co_return;
    }
  }

  const ConfigSource& source_;
  Clock& clock_;
  Random& random_;
  Logger& log_;
  ServeOptions options_;
  supervise::Notifier notifier_ = supervise::Notifier::from_environment();  // before there is a second thread
  supervise::Heartbeat heartbeat_{clock_};
  metrics::Metrics metrics_{{version(), build_revision(), compiler(), tls_library()}, clock_.wall()};
  status::Board board_{clock_};
  admin::Broadcast broadcast_;
  Triggers triggers_{clock_};
  asio::io_context io_{1};
  asio::steady_timer wake_{io_}, beat_{io_};
  Stopper stopper_{io_, log_, [this] { stopping(); }, [this] { (void)triggers_.ask(Trigger::reload); }};
  Recorder recorder_{{board_, metrics_, broadcast_, heartbeat_, clock_, log_}};
  std::unique_ptr<App> app_;
  std::mutex store_mutex_;
  std::shared_ptr<state::Store> store_;  // app_'s, for the endpoint's thread
  std::unique_ptr<Webhook> webhook_;     // null: none is configured
  std::unique_ptr<Front> front_;
  RequestDesk desk_;
  std::string credential_stamp_, logged_problems_;
  int failures_ = 0, exit_code_ = exit_ok;
  bool said_ready_ = false, said_stopping_ = false, had_manifests_ = false, done_ = false;
};

}  // namespace

int serve(const Settings& settings, const ConfigSource& source, Clock& clock, Random& random, Logger& log,
          const ServeOptions& options) {
  Service service(source, clock, random, log, options);
  return service.run(settings);
}

}  // namespace graft::daemon
