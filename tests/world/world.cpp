#include "world/world.hpp"

#include <atomic>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "support/run_coroutine.hpp"

namespace graft::test {

namespace {

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

bool loopback(const std::string& url) {
  return url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost") || url.starts_with("http://[::1]");
}

std::string unique_name() {
  static std::atomic<int> counter{0};
  return fmt::format("t-acc-{}-{}", ::getpid(), ++counter);
}

Random& still() {
  class Still final : public Random {
   public:
    double unit() override { return 0.0; }
  };
  static Still random;
  return random;
}

}  // namespace

World::World(Kind kind, simulator::Options options) : organization_(unique_name()) {
  std::string user = options.admin_user, password = options.admin_password;
  const std::string real = environment("GRAFTD_TEST_GRAFANA_URL", "");
  if (kind == Kind::real_if_there && !real.empty()) {
    REQUIRE_MESSAGE((loopback(real) || !environment("GRAFTD_TEST_GRAFANA_FORCE", "").empty()),
                    "GRAFTD_TEST_GRAFANA_URL must be on loopback, or GRAFTD_TEST_GRAFANA_FORCE=1 set");
    url = real;
    user = environment("GRAFTD_TEST_GRAFANA_USER", "admin");
    password = environment("GRAFTD_TEST_GRAFANA_PASSWORD", "admin");
  } else {
    simulator = std::make_unique<simulator::Simulator>(std::move(options));
    url = simulator->url();
  }
  admin = std::make_unique<test_support::Person>(url, user, password);
  directory.write("password", password + "\n");
  std::filesystem::create_directories(directory / "manifests");
  settings.owner = "test";
  settings.url = url;
  settings.username = user;
  settings.password_file = directory / "password";
  settings.manifests_directory = directory / "manifests";
  settings.interval = std::chrono::seconds(60);
  settings.state_directory = directory / "state";
  settings.tokens_directory = directory / "tokens";
  settings.minimum_grace = std::chrono::seconds(300);
  settings.orphan_age = std::chrono::seconds(60);
  settings.reissues_per_hour = 3;
  settings.reissues_per_minute = 10;
}

World::~World() {
  app_.reset();
  if (simulator) return;
  if (const long id = organization_id(); id > 1) (void)admin->del(fmt::format("/api/orgs/{}", id), 1);
}

// Stamped in the future, which tells the source not to wait for a tree that is still being written: a tenth of a second
// in each of hundreds of cases. Waiting has its own tests.
void World::manifest(const std::string& file, const std::string& text) const {
  directory.write("manifests/" + file, text);
  const auto later = std::filesystem::file_time_type::clock::now() + std::chrono::hours(1);
  std::filesystem::last_write_time(directory / ("manifests/" + file), later);
}

void World::remove_manifest(const std::string& file) const {
  std::filesystem::remove(directory / ("manifests/" + file));
}

reconcile::Report World::run(reconcile::Mode mode) {
  if (!app_) {
    daemon::App::Options options;
    options.limits.retry_pause = std::chrono::milliseconds(10);
    options.limits.timeout = timeout;
    options.issuer.delivery_pause = std::chrono::milliseconds(10);
    Result<std::unique_ptr<daemon::App>> app = daemon::App::make(settings, clock, still(), null_log(), options);
    REQUIRE_MESSAGE(app.has_value(), (app ? "" : app.error().describe()));
    app_ = std::move(*app);
  }
  if (!io_) io_ = std::make_unique<boost::asio::io_context>(1);
  reconcile::Report report;
  if (Status credential = app_->refresh_credential(); !credential) {
    report.stopped = credential.error();
    return report;
  }
  return run_on(*io_, app_->cycle().run_once(mode), std::chrono::seconds(300));
}

void World::pass(std::chrono::seconds by) {
  if (!simulator) {
    std::this_thread::sleep_for(by);
    return;
  }
  simulator->advance(by);
  clock.offset += by;
}

std::int64_t World::ask(state::Request::Kind kind) const {
  const auto opened = state::open_store(settings.state_directory, state::OpenMode::shared);
  REQUIRE(opened);
  state::Request request;
  request.organization = organization();
  request.name = "test/test-token";
  request.kind = kind;
  request.asked_at = clock.wall();
  const auto id = opened->store->ask(request, WallTime{});
  REQUIRE(id);
  return *id;
}

long World::account_id() const {
  const auto search = admin->get("/api/serviceaccounts/search", organization_id());
  return nlohmann::json::parse(search.body).at("serviceAccounts").at(0).at("id").get<long>();
}

long World::organization_id() const {
  const auto reply = admin->get("/api/orgs/name/" + organization_);
  if (reply.status != 200) return 0;
  return nlohmann::json::parse(reply.body).at("id").get<long>();
}

std::string World::key_file(const std::string& path) const {
  return directory.read("tokens/" + (path.empty() ? organization_ + "/test-token" : path));
}

int World::key_status(const std::string& key) const {
  if (key.empty()) return 0;
  return test_support::request(url, "GET", "/api/user", {{"Authorization", "Bearer " + key}}).status;
}

std::vector<std::string> World::tokens(const std::string& account) const {
  const long org = organization_id();
  const auto search = admin->get("/api/serviceaccounts/search?query=" + account, org);
  std::vector<std::string> names;
  const nlohmann::json accounts = nlohmann::json::parse(search.body).at("serviceAccounts");
  for (const auto& one : accounts) {
    if (one.at("name") != account) continue;
    const auto list = admin->get(fmt::format("/api/serviceaccounts/{}/tokens", one.at("id").get<long>()), org);
    const nlohmann::json tokens = nlohmann::json::parse(list.body);
    for (const auto& token : tokens)
      if (!token.at("hasExpired").get<bool>()) names.push_back(token.at("name").get<std::string>());
  }
  return names;
}

nlohmann::json World::dashboard(const std::string& uid) const {
  const auto reply = admin->get(
      fmt::format("/apis/dashboard.grafana.app/v0alpha1/namespaces/org-{}/dashboards/{}", organization_id(), uid));
  return nlohmann::json::parse(reply.body);
}

std::string tutorial(const std::string& organization) {
  return fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata:
  name: {0}
spec:
  members:
    - login: admin
      role: Admin
  serviceAccounts:
    - name: test
      role: Admin
      tokens:
        - name: test-token
          ttl: 30d
          rotateBefore: 10d
          deliverTo:
            - file: {{path: {0}/test-token}}
  folders:
    - uid: ops
      title: Operations
  dashboards:
    - uid: production-overview
      folder: ops
      model:
        title: Production Overview
        tags: [templated]
        timezone: browser
        schemaVersion: 36
        panels: []
)",
                     organization);
}

std::string one_token(const std::string& organization, const std::string& fields, const std::string& deliver_to) {
  return fmt::format(
      R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {0}}}
spec:
  serviceAccounts:
    - name: test
      role: Viewer
      tokens: [{{name: test-token, {1}, deliverTo: {2}}}]
)",
      organization, fields,
      deliver_to.empty() ? fmt::format("[{{file: {{path: {}/test-token}}}}]", organization) : deliver_to);
}

std::vector<std::string> changes(const reconcile::Report& report) {
  std::vector<std::string> out;
  for (const plan::Action& action : report.plan.actions) {
    const std::string what = fmt::format("{}:{}", action.key().kind.noun(), action.key().name);
    switch (action.verdict.verb) {
      case Verb::create:
        out.push_back("+" + what);
        break;
      case Verb::update:
        for (const FieldChange& change : action.verdict.changes) out.push_back(what + " " + change.pointer);
        break;
      default:
        out.push_back(fmt::format("{} {}", to_string(action.verdict.verb), what));
    }
  }
  return out;
}

std::string problems(const reconcile::Report& report) {
  std::string out;
  if (report.stopped) out += "stopped: " + report.stopped->describe() + "\n";
  for (const Diagnostic& item : report.diagnostics.items()) out += item.to_string() + "\n";
  for (const reconcile::ActionResult& result : report.results)
    if (result.outcome != reconcile::Outcome::done)
      out += fmt::format("{} {}: {}\n", to_string(result.verb), result.key.to_string(), result.error.describe());
  return out;
}

}  // namespace graft::test
