// `graftd tokens rotate` and `verify`: a request in the state store, which a running daemon answers; without one, a
// cycle of our own that is about nothing else.
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.hpp"
#include "daemon/app.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/one_cycle.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/logger.hpp"
#include "daemon/report_log.hpp"
#include "daemon/request_desk.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;
using state::Request;

constexpr std::chrono::seconds patience{60};  // for a running daemon, which may be in the middle of a cycle
constexpr std::chrono::milliseconds poll_interval{200};
constexpr std::chrono::hours keep_answers{24};

struct Asked {
  std::string slot;  // "apiorg/test/test-token"
  ResourceKey key;
  Request request;
};

std::string slot_of(const ResourceKey& key) { return key.organization + "/" + key.name; }

// Declared tokens by "ORGANIZATION/ACCOUNT/TOKEN".
Result<std::map<std::string, ResourceKey>> declared_slots(const Settings& settings) {
  const auto manifests = make_manifest_source(settings, {ManifestOptions::For::names, {}}, nullptr);
  Result<manifest::LoadResult> loaded = manifests->load();
  if (!loaded) return fail(std::move(loaded.error()));
  if (!loaded->state) {
    print_diagnostics(loaded->diagnostics);
    return fail(ErrorCode::invalid, "the manifests have errors, so it is not known which tokens are declared");
  }
  std::map<std::string, ResourceKey> slots;
  for (const Desired& desired : loaded->state->resources)
    if (desired.key.kind == kind_service_account_token) slots.emplace(slot_of(desired.key), desired.key);
  return slots;
}

Result<std::vector<Asked>> choose(const std::vector<std::string>& names, Request::Kind kind,
                                  const std::map<std::string, ResourceKey>& declared) {
  std::vector<std::string_view> known;
  for (const auto& [slot, key] : declared) known.push_back(slot);
  std::vector<Asked> asked;
  const auto add = [&](const std::string& slot, const ResourceKey& key) {
    Request request;
    request.organization = key.organization;
    request.name = key.name;
    request.kind = kind;
    request.asked_at = system_clock().wall();
    asked.push_back({slot, key, std::move(request)});
  };
  for (const std::string& name : names) {
    const auto found = declared.find(name);
    if (found == declared.end()) {
      const auto near = did_you_mean(name, known);
      return fail(Error(ErrorCode::invalid, fmt::format("no token {} is declared", quote(name)))
                      .with_hint(near ? fmt::format("did you mean {}?", *near)
                                      : "name it as ORGANIZATION/ACCOUNT/TOKEN; graftd tokens list shows them"));
    }
    add(found->first, found->second);
  }
  if (names.empty())
    for (const auto& [slot, key] : declared) add(slot, key);
  return asked;
}

Status ask(state::Store& store, std::vector<Asked>& all) {
  for (Asked& one : all) {
    Result<std::int64_t> id = store.ask(one.request, one.request.asked_at - keep_answers);
    if (!id) return fail(std::move(id.error()).context("the request cannot be left in the state directory"));
    one.request.id = *id;
  }
  return {};
}

// Fetches what was answered meanwhile; true when all are.
bool collect(state::Store& store, std::vector<Asked>& all) {
  bool complete = true;
  for (Asked& one : all) {
    if (one.request.state != Request::State::open) continue;
    auto now = store.request(one.request.id);
    if (now && *now) one.request = std::move(**now);
    complete = complete && one.request.state != Request::State::open;
  }
  return complete;
}

// What was not done is not left behind: who asked is told so, and nobody should be surprised later.
void give_up(state::Store& store, std::vector<Asked>& all, const std::string& why) {
  for (Asked& one : all) {
    if (one.request.state != Request::State::open) continue;
    (void)store.answer(one.request.id, Request::State::failed, why);
    one.request.state = Request::State::failed;
    one.request.answer = why;
  }
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "graftd: %s\n", error.describe().c_str());
  return code;
}

int show(const std::vector<Asked>& all, Output output) {
  json list = json::array();
  bool failed = false;
  for (const Asked& one : all) {
    const bool done = one.request.state == Request::State::done;
    failed = failed || !done;
    list.push_back({{"slot", one.slot}, {"outcome", done ? "done" : "failed"}, {"answer", one.request.answer}});
    if (output == Output::text)
      std::puts(fmt::format("{}: {}{}", one.slot, done ? "" : "failed: ", one.request.answer).c_str());
  }
  if (output == Output::json) std::puts(list.dump(2, ' ', false, json::error_handler_t::replace).c_str());
  return failed ? exit_not_converged : exit_ok;
}

int leave_for_daemon(const Settings& settings, std::vector<Asked>& all, Output output) {
  const Result<state::Opened> opened = state::open_store(settings.state_directory, state::OpenMode::shared);
  if (!opened) return complain(opened.error(), exit_cannot_create);
  if (Status asked = ask(*opened->store, all); !asked) return complain(asked.error(), exit_cannot_create);
  const SteadyTime until = system_clock().steady() + patience;
  while (!collect(*opened->store, all) && system_clock().steady() < until) std::this_thread::sleep_for(poll_interval);
  give_up(*opened->store, all, "the running graftd did not come to it within a minute; its log says why");
  return show(all, output);
}

// Asking whether a key is alive changes nothing; a rotation is a cycle that is about nothing else.
reconcile::Mode mode_for(Request::Kind kind) {
  return kind == Request::Kind::rotate ? reconcile::Mode::apply : reconcile::Mode::plan;
}

int act_ourselves(App& app, boost::asio::io_context& io, Log& log, std::vector<Asked>& all, Output output) {
  if (Status credential = app.refresh_credential(); !credential) return complain(credential.error(), exit_bad_config);
  if (Status asked = ask(*app.store(), all); !asked) return complain(asked.error(), exit_cannot_create);
  RequestDesk desk;
  desk.begin_cycle(*app.store());
  const reconcile::Report report = run_cycle(io, app, mode_for(all.front().request.kind), log);
  (void)collect(*app.store(), all);
  give_up(*app.store(), all,
          report.stopped ? report.stopped->describe() : "it was not reached; the log above says why");
  const int code = show(all, output);
  return report.stopped ? exit_code_of(*report.stopped) : code;
}

}  // namespace

int tokens_request_command(const Options& options, const ConfigSource& source, Request::Kind kind) {
  const std::optional<Settings> settings = settings_or_complain(source);
  if (!settings) return exit_bad_config;
  const auto declared = declared_slots(*settings);
  if (!declared) return complain(declared.error(), exit_bad_manifests);
  Result<std::vector<Asked>> asked = choose(options.slots, kind, *declared);
  if (!asked) return complain(asked.error(), exit_usage);
  if (asked->empty()) return show(*asked, options.output);
  const std::unique_ptr<Log> log = make_logger(settings->log_level, settings->log_format);
  App::Options how;
  how.manifests.whom = ManifestOptions::For::names;  // a key is replaced also when its repository is away
  for (const Asked& one : *asked) how.only.push_back(one.key);
  boost::asio::io_context io{1};  // outlives the App, whose kept connections belong to it
  Result<std::unique_ptr<App>> app = App::make(*settings, system_clock(), system_random(), *log, how);
  if (!app && app.error().code == ErrorCode::blocked) return leave_for_daemon(*settings, *asked, options.output);
  if (!app) return report_start_failure(app.error(), *log);
  return act_ourselves(**app, io, *log, *asked, options.output);
}

}  // namespace graft::daemon
