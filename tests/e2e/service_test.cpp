// graftd run as its manager, its monitoring and its operator meet it.
#include <doctest/doctest.h>
#include <filesystem>
#include <regex>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

#include "doubles/webhook_receiver.hpp"
#include "e2e/graftd.hpp"
#include "support/notify_socket.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test_support::eventually;

namespace {

std::vector<std::string> without_status(const std::vector<std::string>& messages) {
  std::vector<std::string> made;
  for (const std::string& message : messages)
    if (!message.starts_with("STATUS=") && message != "WATCHDOG=1") made.push_back(message);
  return made;
}

bool has(const std::vector<std::string>& messages, const std::string& start) {
  return std::ranges::any_of(messages, [&](const std::string& one) { return one.starts_with(start); });
}

int http_status(const std::string& socket, const std::string& target) {
  const auto reply = admin::call(socket, {"GET", target, {}, seconds(10)});
  return reply ? reply->status : 0;
}

std::string page_url(const test_support::Process& daemon) {
  static const std::regex form("status_page=(http://[^ \n]+)/");
  std::smatch found;
  const std::string log = daemon.err();
  return std::regex_search(log, found, form) ? found[1].str() : std::string();
}

}  // namespace

TEST_CASE("run: tells its manager READY, STATUS, WATCHDOG, RELOADING, READY, STOPPING, in that order") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  test_support::NotifySocket manager(graftd.directory / "notify.sock");
  auto daemon = graftd.start({"run"}, {{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "3000000"}});

  std::vector<std::string> begun = manager.until("READY=1");
  CHECK(begun.back() == "READY=1");
  CHECK(manager.sender() == daemon->pid());
  CHECK(eventually([&] { return graftd.key_status() == 200; }));
  std::vector<std::string> running = manager.until("STATUS=");
  CHECK(running.back().find("6 resources") != std::string::npos);
  running = manager.until("WATCHDOG=1");
  CHECK(running.back() == "WATCHDOG=1");

  daemon->signal(SIGHUP);
  std::vector<std::string> reloading = manager.until("RELOADING=1");
  CHECK(reloading.back().find("\nMONOTONIC_USEC=") != std::string::npos);
  reloading = manager.until("READY=1");
  CHECK(without_status(reloading) == std::vector<std::string>{"READY=1"});

  daemon->signal(SIGTERM);
  const std::vector<std::string> ending = manager.until("STOPPING=1");
  CHECK(without_status(ending) == std::vector<std::string>{"STOPPING=1"});
  CHECK(daemon->wait(seconds(20)) == 0);
  const std::vector<std::string> last = manager.rest();
  CHECK_FALSE(has(last, "READY=1"));
  CHECK_FALSE(has(last, "STOPPING=1"));  // it was said
}

TEST_CASE("run: a long cycle tells its manager, and who looks, how far it is") {
  Graftd graftd;
  simulator::Fault slow;
  slow.kind = simulator::Fault::Kind::delay;
  slow.delay = milliseconds(700);
  slow.times = 1000;
  graftd.simulator.add_fault(slow);
  test_support::NotifySocket manager(graftd.directory / "notify.sock");
  auto daemon = graftd.start({"run"}, {{"NOTIFY_SOCKET", manager.address()}});
  bool told = false;
  for (int i = 0; i < 30 && !told; ++i)
    if (const auto message = manager.next())
      told = message->find("changing, executing ") != std::string::npos && message->find("/5") != std::string::npos;
  CHECK(told);
  const json status = graftd.document("/api/v1/status");
  CHECK(status.at("cycle").at("stage") == "executing");
  CHECK(status.at("state") == "changing");
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: manifests that were never good are not READY") {
  Graftd graftd;
  graftd.directory.write("manifests/bad.yaml", "apiVersion: graftd/v1\nkind: Foldr\n");
  test_support::NotifySocket manager(graftd.directory / "notify.sock");
  auto daemon = graftd.start({"run"}, {{"NOTIFY_SOCKET", manager.address()}});
  CHECK(daemon->wait() == 65);
  CHECK_FALSE(has(manager.rest(), "READY=1"));
}

TEST_CASE("run: a loop that hangs starves the watchdog and is not healthy; the endpoint still answers") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  test_support::NotifySocket manager(graftd.directory / "notify.sock");
  auto daemon = graftd.start({"run"}, {{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "3000000"}});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  CHECK(http_status(graftd.socket(), "/-/healthy") == 200);

  // The loop's thread alone is stopped where it stands, as by a deadlock.
  REQUIRE(::ptrace(PTRACE_SEIZE, daemon->pid(), nullptr, nullptr) == 0);
  REQUIRE(::ptrace(PTRACE_INTERRUPT, daemon->pid(), nullptr, nullptr) == 0);
  int stopped = 0;
  REQUIRE(::waitpid(daemon->pid(), &stopped, __WALL) == daemon->pid());
  CHECK(eventually([&] { return http_status(graftd.socket(), "/-/healthy") == 503; }, seconds(60)));
  CHECK(daemon->wait_for("hang", seconds(10)));
  (void)manager.rest();
  CHECK_FALSE(has(manager.until("WATCHDOG=1", seconds(5)), "WATCHDOG=1"));

  REQUIRE(::ptrace(PTRACE_DETACH, daemon->pid(), nullptr, nullptr) == 0);
  CHECK(has(manager.until("WATCHDOG=1"), "WATCHDOG=1"));
  CHECK(eventually([&] { return http_status(graftd.socket(), "/-/healthy") == 200; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: a slow Grafana is not a hang") {
  Graftd graftd;
  simulator::Fault slow;
  slow.kind = simulator::Fault::Kind::delay;
  slow.delay = seconds(40);
  slow.times = 1000;
  graftd.simulator.add_fault(slow);
  test_support::NotifySocket manager(graftd.directory / "notify.sock");
  auto daemon = graftd.start({"run"}, {{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "3000000"}});
  REQUIRE(daemon->wait_for("msg=started"));
  // Ready when the manifests were found good, however long Grafana takes.
  CHECK(has(manager.until("READY=1", seconds(20)), "READY=1"));
  const auto until = std::chrono::steady_clock::now() + seconds(35);
  while (std::chrono::steady_clock::now() < until) {
    REQUIRE(has(manager.until("WATCHDOG=1", seconds(10)), "WATCHDOG=1"));
    CHECK(http_status(graftd.socket(), "/-/healthy") == 200);
  }
  CHECK(ends_well(*daemon));
}

TEST_CASE("endpoint: what is served of a converged daemon; never a key or a password") {
  Graftd graftd;
  graftd.configure(fmt::format("http: {{listen: '127.0.0.1:0', socket: {}}}\n", graftd.socket()));
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  const std::string url = page_url(*daemon);
  REQUIRE_FALSE(url.empty());
  const auto get = [&](const std::string& target) { return test_support::request(url, "GET", target); };
  CHECK(get("/-/ready").status == 200);
  CHECK(get("/-/startup").status == 200);
  const json status = json::parse(get("/api/v1/status").body);
  CHECK(status.at("state") == "converged");
  CHECK(status.at("counts").at("in_sync") == 6);
  CHECK(json::parse(get("/api/v1/resources").body).at("resources").size() == 6);
  CHECK(json::parse(get("/api/v1/tokens").body).at("tokens").at(0).at("state") == "in use");
  const json history = json::parse(get("/api/v1/history").body);
  CHECK(history.at("changes").size() == 5);  // the member was there
  CHECK(history.at("changes").at(0).at("cause") == "manifest");
  CHECK(get("/metrics").body.find("graftd_objects{kind=\"Folder\",state=\"in_sync\"} 1\n") != std::string::npos);
  CHECK(get("/").body.find("<title>") != std::string::npos);

  struct stat mode{};
  REQUIRE(::stat(graftd.socket().c_str(), &mode) == 0);
  CHECK((mode.st_mode & 0777) == 0600);

  // Requests that change something need a token file on TCP, and none on the socket.
  const auto refused = test_support::request(url, "POST", "/-/reload", {{"Content-Type", "application/json"}}, "{}");
  CHECK(refused.status == 403);
  const auto accepted = admin::call(graftd.socket(), {"POST", "/-/reload?wait=20s", "{}", seconds(30)});
  REQUIRE(accepted);
  CHECK(accepted->status == 200);

  const std::string key = graftd.key();
  REQUIRE_FALSE(key.empty());
  for (const char* target : {"/", "/api/v1/status", "/api/v1/resources", "/api/v1/plan", "/api/v1/tokens",
                             "/api/v1/history", "/metrics", "/openapi.json", "/-/ready?verbose=1"}) {
    CAPTURE(target);
    const std::string body = get(target).body;
    CHECK(body.find(key) == std::string::npos);
    CHECK(body.find(key.substr(0, 12)) == std::string::npos);
  }
  CHECK(ends_well(*daemon));
  CHECK_FALSE(std::filesystem::exists(graftd.socket()));
}

TEST_CASE("drift is mended, counted, and written down with who is to blame") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  REQUIRE(eventually([&] {
    const json page = graftd.document("/api/v1/history?kind=Folder");
    return page.is_object() && page.at("changes").size() >= 2;
  }));
  const json changes = graftd.document("/api/v1/history?kind=Folder").at("changes");
  CHECK(changes.at(0).at("cause") == "drift");
  CHECK(changes.at(0).at("action") == "create");
  CHECK(changes.at(0).at("revision") == changes.at(1).at("revision"));
  CHECK(changes.at(0).at("cycle").get<int>() > changes.at(1).at("cycle").get<int>());

  // Over a restart the history goes on, also without a running graftd.
  CHECK(ends_well(*daemon));
  auto history = graftd.start({"history", "-o", "json", "--kind", "Folder"});
  CHECK(history->wait() == 0);
  CHECK(json::parse(history->out()).at("changes").size() == changes.size());
}

TEST_CASE("suspend: cycles compare, and change nothing") {
  Graftd graftd;
  CHECK(graftd.run("apply") == 0);
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  graftd.configure("interval: 1s\nsuspend: true\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  REQUIRE(eventually([&] { return graftd.document("/api/v1/status").at("cycles").size() >= 2; }));
  const json status = graftd.document("/api/v1/status");
  CHECK(status.at("state") == "suspended");
  CHECK(status.at("counts").at("drifted").get<int>() >= 1);
  const json plan = graftd.document("/api/v1/plan");
  CHECK(plan.at("actions").at(0).at("kind") == "Folder");
  CHECK(graftd.admin.get("/api/folders/ops", graftd.organization()).status == 404);

  graftd.configure("interval: 1s\n");
  daemon->signal(SIGHUP);
  CHECK(eventually([&] { return graftd.admin.get("/api/folders/ops", graftd.organization()).status == 200; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("reload is all or nothing: configuration, credential and manifests") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  const auto reload = [&] {
    auto command = graftd.start({"reload", "--wait", "30s"});
    const int code = command->wait();
    return std::pair(code, command->out() + command->err());
  };

  // A good configuration with bad manifests beside it: neither is taken.
  graftd.configure("interval: 77s\n");
  graftd.directory.write("manifests/bad.yaml", "apiVersion: graftd/v1\nkind: Foldr\n");
  auto [code, said] = reload();
  CHECK(code == 78);
  CHECK(said.find("bad.yaml:2:7") != std::string::npos);
  CHECK(graftd.document("/api/v1/status").at("interval") == 1);
  std::filesystem::remove(graftd.directory / "manifests/bad.yaml");

  graftd.configure("interval: 77s\n");
  graftd.directory.write("graftd.yaml",
                         std::regex_replace(graftd.directory.read("graftd.yaml"), std::regex("  url: http:"),
                                            "  tls: {caFile: /nonexistent}\n  url: https:"));
  CHECK(reload().first == 78);
  CHECK(http_status(graftd.socket(), "/-/ready") == 503);
  CHECK(graftd.document("/api/v1/status").at("problems").at(0).at("about") == "configuration");

  graftd.configure("interval: 77s\n");
  std::tie(code, said) = reload();
  CHECK(code == 0);
  CHECK(said == "reloaded\n");
  CHECK(graftd.document("/api/v1/status").at("interval") == 77);
  CHECK(eventually([&] { return http_status(graftd.socket(), "/-/ready") == 200; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("a storm of 10,000 SIGHUPs and 1,000 reload requests: three cycles in 10 s at most, the last content wins") {
  Graftd graftd;
  graftd.configure("interval: 3600s\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  const auto cycles = [&] { return graftd.document("/api/v1/status").at("cycles").size(); };
  const std::size_t before = cycles();
  const auto begun = std::chrono::steady_clock::now();
  graftd.configure("interval: 3599s\n");
  milliseconds slowest{0};
  for (int i = 0; i < 1'000; ++i) {
    if (i == 999) graftd.configure("interval: 3597s\n");
    for (int signal = 0; signal < 10; ++signal) daemon->signal(SIGHUP);
    const auto asked = std::chrono::steady_clock::now();
    const auto reply = admin::call(graftd.socket(), {"POST", "/-/reload", "{}", seconds(30)});
    REQUIRE(reply);
    CHECK(reply->status == 202);
    slowest = std::max(slowest, std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - asked));
  }
  MESSAGE("the slowest of 1,000 callers waited " << slowest.count() << " ms");
  CHECK(slowest < seconds(5));  // one, and room for a loaded machine
  CHECK(eventually([&] { return graftd.document("/api/v1/status").at("interval") == 3597; }, seconds(30)));
  const auto took = std::chrono::steady_clock::now() - begun;
  if (took < seconds(10)) std::this_thread::sleep_for(seconds(10) - took);
  const auto windows =
      static_cast<std::size_t>(std::chrono::ceil<seconds>(std::chrono::steady_clock::now() - begun) / seconds(5));
  CHECK(cycles() - before <= windows + 1);  // in the 10 s of a machine that is not busy: three
  CHECK(ends_well(*daemon));
}

TEST_CASE("status, sync, reload and probe speak to the running graftd, and say so when none runs") {
  Graftd graftd;
  auto nobody = graftd.start({"status"});
  CHECK(nobody->wait() == 69);
  CHECK(nobody->err().find("is it running") != std::string::npos);
  CHECK(graftd.start({"status", "--probe"})->wait() == 1);
  CHECK(graftd.run("reload") == 69);

  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  auto status = graftd.start({"status"});
  CHECK(status->wait() == 0);
  CHECK(status->out().find("converged: 6 resources are as declared") != std::string::npos);
  // The shell of an operator lacks what the service manager sets, and the file may just be being edited.
  const std::string sound = graftd.directory.read("graftd.yaml");
  graftd.directory.write("graftd.yaml",
                         std::regex_replace(sound, std::regex("passwordFile: [^}]*"),
                                            "passwordFile: '${CREDENTIALS_DIRECTORY}/password', nonsense: 1"));
  CHECK(graftd.start({"status"})->wait() == 0);
  CHECK(graftd.start({"tokens", "list"})->wait() == 0);
  CHECK(graftd.run("plan") == 78);
  graftd.directory.write("graftd.yaml", sound);
  auto as_json = graftd.start({"status", "-o", "json"});
  CHECK(as_json->wait() == 0);
  CHECK(json::parse(as_json->out()).at("state") == "converged");
  CHECK(graftd.start({"status", "--probe"})->wait() == 0);
  auto sync = graftd.start({"sync", "--wait", "30s"});
  CHECK(sync->wait() == 0);
  CHECK(sync->out().find("noop") != std::string::npos);

  auto watch = graftd.start({"status", "--watch"});
  REQUIRE(watch->wait_for("converged"));
  graftd.directory.write("manifests/extra.yaml",
                         "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: extra, organization: apiorg}\n"
                         "spec: {title: Extra}\n");
  CHECK(watch->wait_for("7 resources are as declared"));
  CHECK(ends_well(*daemon));
  CHECK(watch->wait() == 69);  // nobody is there any more to ask
}

TEST_CASE("a full port or a bad address ends the start with a message") {
  Graftd graftd, other;
  graftd.configure(fmt::format("http: {{listen: '127.0.0.1:0', socket: {}}}\n", graftd.socket()));
  auto first = graftd.start({"run"});
  REQUIRE(first->wait_for("msg=\"cycle done\""));
  const std::string url = page_url(*first);
  other.configure(fmt::format("http: {{listen: '{}', socket: none}}\n", url.substr(std::string("http://").size())));
  auto second = other.start({"run"});
  CHECK(second->wait() == 73);
  CHECK(second->err().find("endpoint") != std::string::npos);
  other.configure("http: {listen: '0.0.0.0:0', socket: none}\n");
  CHECK(other.run("run") == 78);
  first->signal(SIGTERM);
  CHECK(first->wait(seconds(20)) == 0);
}

TEST_CASE("webhook: hears of drift, failure and rotation, also after it was away over a restart; each once") {
  Graftd graftd;
  doubles::WebhookReceiver receiver("a secret of the webhook");
  graftd.directory.write("webhook-secret", "a secret of the webhook\n");
  const auto configure = [&](const std::string& more) {
    graftd.configure(fmt::format("interval: 1s\nwebhook: {{url: '{}/hook', secretFile: {}}}\n{}", receiver.url(),
                                 graftd.directory / "webhook-secret", more));
  };
  const auto heard = [&](const std::string& type, const std::string& text) {
    for (const doubles::Taken& one : receiver.taken())
      if (one.type == type && one.body.find(text) != std::string::npos) return true;
    return false;
  };
  configure("");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  CHECK(eventually([&] { return heard("rotation", "test/test-token"); }));
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  CHECK(eventually([&] { return heard("drift", "\"ops\""); }));

  receiver.answer_all_with(503);
  // Put back within the second, so that after a restart nothing but the outbox knows of it.
  REQUIRE(graftd.admin
              .del("/apis/dashboard.grafana.app/v1beta1/namespaces/org-" + std::to_string(graftd.organization()) +
                   "/dashboards/production-overview")
              .status == 200);
  REQUIRE(eventually([&] {
    const json page = graftd.document("/api/v1/history?kind=Dashboard");
    return page.is_object() && page.at("changes").size() >= 2;
  }));
  graftd.directory.write("manifests/team.yaml",
                         "apiVersion: graftd/v1\nkind: OrganizationMember\n"
                         "metadata: {organization: apiorg}\nspec: {login: ann, role: Editor}\n");
  const auto pending = [&] {
    const auto reply = admin::call(graftd.socket(), {"GET", "/metrics", {}, seconds(10)});
    return reply && reply->body.find("\ngraftd_events_pending 0\n") == std::string::npos &&
           reply->body.find("\ngraftd_events_pending ") != std::string::npos;
  };
  CHECK(eventually(pending));
  daemon->signal(SIGKILL);
  CHECK(daemon->wait(seconds(20)) == 128 + SIGKILL);

  receiver.answer_all_with(0);
  daemon = graftd.start({"run"});
  CHECK(eventually([&] { return heard("drift", "\"production-overview\""); }, seconds(60)));
  CHECK(eventually([&] { return heard("failure", "ann"); }, seconds(60)));
  CHECK(receiver.refused() == 0);
  CHECK(ends_well(*daemon));
  const std::string key = graftd.key();
  for (const std::string& body : receiver.bodies()) CHECK(body.find(key) == std::string::npos);
}
