// graftd whose manifests are in a git repository: what is committed is applied, what is hostile is not, and what was in
// force stays over restarts.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

#include "doubles/git_server.hpp"
#include "doubles/webhook_receiver.hpp"
#include "e2e/graftd.hpp"
#include "git/repository.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;
using std::chrono::seconds;
using test_support::eventually;

namespace {

class GitGraftd {
 public:
  GitGraftd() {
    write(0);
    first = repository.commit();
    server = std::make_unique<doubles::GitServer>(repository.path() + "/.git", "grafana", "t0ken");
    graftd.directory.write("git-token", "t0ken\n");
    configure();
  }

  // Revision n: the tutorial, and a folder whose title says n.
  void write(int n) const {
    std::filesystem::create_directories(repository.file("prod"));
    std::filesystem::copy_file(tutorial_file(), repository.file("prod/apiorg.yaml"),
                               std::filesystem::copy_options::overwrite_existing);
    repository.write("prod/folder.yaml", fmt::format("apiVersion: graftd/v1\nkind: Folder\nmetadata: {{uid: r, "
                                                     "organization: apiorg}}\nspec: {{title: Revision {}}}\n",
                                                     n));
  }
  std::string commit(int n) const {
    write(n);
    return repository.commit(std::to_string(n));
  }

  void configure(const std::string& git = {}, const std::string& more = {}) const {
    graftd.directory.write(
        "graftd.yaml",
        fmt::format("owner: e2e\ninterval: 1s\n"
                    "grafana:\n  url: {}\n  auth: {{username: admin, passwordFile: {}}}\n"
                    "manifests:\n  git:\n    url: {}\n    ref: main\n    path: prod\n    pollInterval: 1s\n"
                    "    timeout: 5s\n    auth: {{tokenFile: {}}}\n{}"
                    "state: {{directory: {}}}\ntokens: {{directory: {}}}\n"
                    "http: {{listen: none, socket: {}}}\n{}",
                    graftd.simulator.url(), graftd.directory / "password", server->repository_url(),
                    graftd.directory / "git-token", git, graftd.directory / "state", graftd.directory / "tokens",
                    graftd.socket(), more));
  }

  [[nodiscard]] std::string title() const {
    const auto reply = graftd.admin.get("/api/folders/r", graftd.organization());
    return reply.status == 200 ? json::parse(reply.body).at("title").get<std::string>() : std::string();
  }
  [[nodiscard]] std::string revision() const {
    const json status = graftd.document("/api/v1/status");
    return status.is_object() ? status.at("revision").at("applied").get<std::string>() : std::string();
  }
  [[nodiscard]] std::string problems() const {
    return graftd.document("/api/v1/status").value("problems", json()).dump();
  }

  Graftd graftd;
  GitRepository repository;
  std::unique_ptr<doubles::GitServer> server;
  std::string first;
};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("git: what is committed is applied; its commit is the revision everywhere; sync fetches at once") {
  const GitGraftd git;
  const auto daemon = git.graftd.start({"run"});
  REQUIRE_MESSAGE(eventually([&] { return git.title() == "Revision 0"; }), daemon->err());
  CHECK(git.graftd.key_status() == 200);
  CHECK(eventually([&] { return git.revision() == git.first; }));
  const std::string second = git.commit(1);
  CHECK(git.graftd.start({"sync", "--wait", "30s"})->wait() == 0);
  CHECK(git.title() == "Revision 1");
  CHECK(git.revision() == second);
  auto history = git.graftd.start({"history", "-o", "json", "--kind", "Folder", "--name", "r"});
  CHECK(history->wait() == 0);
  CHECK(history->out().find(second) != std::string::npos);
  const auto metrics = admin::call(git.graftd.socket(), {"GET", "/metrics", {}, seconds(10)});
  REQUIRE(metrics.has_value());
  CHECK(metrics->body.find("revision=\"" + second + "\"") != std::string::npos);
  git.commit(2);  // without being told
  CHECK(eventually([&] { return git.title() == "Revision 2"; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("git: force push, deleted branch, dead server, bad manifest: last good stays, told once, one event each") {
  const GitGraftd git;
  doubles::WebhookReceiver receiver("a secret of thirty-two characters");
  git.graftd.directory.write("secret", "a secret of thirty-two characters\n");
  git.configure(
      {}, fmt::format("webhook: {{url: {}/hook, secretFile: {}}}\n", receiver.url(), git.graftd.directory / "secret"));
  auto daemon = git.graftd.start({"run"});
  REQUIRE(eventually([&] { return git.title() == "Revision 0"; }));
  const std::string good = git.commit(1);
  REQUIRE(eventually([&] { return git.title() == "Revision 1"; }));

  const auto stays = [&](const std::string& what) {
    CAPTURE(what);
    CHECK_MESSAGE(eventually([&] { return git.problems().find(what) != std::string::npos; }), git.problems());
    CHECK(git.title() == "Revision 1");
    CHECK(git.revision() == good);
    // Drift is mended all the same, from what is in force.
    CHECK(git.graftd.admin
              .put("/api/folders/r", json{{"title", "by hand"}, {"overwrite", true}}.dump(), git.graftd.organization())
              .status == 200);
    CHECK(eventually([&] { return git.title() == "Revision 1"; }));
  };
  const auto mended = [&] {
    CHECK(eventually([&] { return git.problems().find("\"about\":\"manifests\"") == std::string::npos; }));
  };
  git.repository.in({"reset", "--quiet", "--hard", git.first});
  git.commit(66);
  stays("was rewritten");
  git.repository.in({"reset", "--quiet", "--hard", good});
  mended();
  git.repository.in({"checkout", "--quiet", "-b", "elsewhere"});
  git.repository.in({"branch", "-D", "main"});
  stays("no branch or tag");
  git.repository.in({"branch", "main"});
  git.repository.in({"checkout", "--quiet", "main"});
  mended();
  git.server->go_down();
  stays("cannot reach");
  git.server->come_back();
  mended();

  const std::string log = daemon->err();
  CHECK(count(log, "was rewritten") == 1);
  CHECK(count(log, "no branch or tag") == 1);
  CHECK(count(log, "cannot reach") == 1);
  const auto events = [&](const std::string& what) {
    std::size_t found = 0;
    for (const std::string& body : receiver.bodies()) found += body.find(what) != std::string::npos ? 1U : 0U;
    return found;
  };
  CHECK(eventually([&] { return events("was rewritten") == 1; }));
  CHECK(eventually([&] { return events("no branch or tag") == 1; }));
  CHECK(eventually([&] { return events("cannot reach") == 1; }));
  CHECK(ends_well(*daemon));
  CHECK(log.find("t0ken") == std::string::npos);
}

TEST_CASE("git: after a restart without its server graftd goes on from what was in force, and apply does not") {
  const GitGraftd git;
  auto daemon = git.graftd.start({"run"});
  REQUIRE(eventually([&] { return git.graftd.key_status() == 200 && git.title() == "Revision 0"; }));
  daemon->signal(SIGKILL);
  (void)daemon->wait();
  git.server->go_down();
  CHECK(git.graftd.admin
            .put("/api/folders/r", json{{"title", "by hand"}, {"overwrite", true}}.dump(), git.graftd.organization())
            .status == 200);
  auto apply = git.graftd.start({"apply"});
  CHECK(apply->wait() != 0);
  CHECK_MESSAGE(apply->err().find("cannot reach") != std::string::npos, apply->err());
  CHECK(git.title() == "by hand");
  daemon = git.graftd.start({"run"});
  CHECK(eventually([&] { return git.title() == "Revision 0"; }));
  CHECK(eventually([&] { return git.problems().find("cannot reach") != std::string::npos; }));
  CHECK(git.graftd.tokens() == 1);
  CHECK(git.graftd.start({"tokens", "verify"})->wait() == 0);  // knows the names without its server
  CHECK(ends_well(*daemon));
  const std::string old = git.graftd.key();
  CHECK(git.graftd.start({"tokens", "rotate", "apiorg/test/test-token"})->wait() == 0);
  CHECK(git.graftd.key() != old);
}

TEST_CASE("git: a bad push, a restart, a mended push: what is in force is the last good commit throughout") {
  const GitGraftd git;
  auto daemon = git.graftd.start({"run"});
  REQUIRE(eventually([&] { return git.title() == "Revision 0"; }));
  git.repository.write("prod/broken.yaml", "apiVersion: [\n");
  git.repository.commit();
  CHECK(eventually([&] { return git.problems().find("broken.yaml") != std::string::npos; }));
  daemon->signal(SIGKILL);
  (void)daemon->wait();
  CHECK(git.graftd.admin
            .put("/api/folders/r", json{{"title", "by hand"}, {"overwrite", true}}.dump(), git.graftd.organization())
            .status == 200);
  daemon = git.graftd.start({"run"});
  CHECK(eventually([&] { return git.title() == "Revision 0"; }));
  CHECK(eventually([&] { return git.problems().find("broken.yaml") != std::string::npos; }));
  CHECK(git.revision() == git.first);
  git.repository.in({"reset", "--quiet", "--hard", git.first});
  git.commit(4);
  CHECK(eventually([&] { return git.title() == "Revision 4"; }));
  CHECK(git.problems().find("rewritten") == std::string::npos);
  CHECK(ends_well(*daemon));
}

TEST_CASE("git: a reload that is refused takes nothing of what it would have allowed") {
  const GitGraftd git;
  const auto daemon = git.graftd.start({"run"});
  REQUIRE(eventually([&] { return git.title() == "Revision 0"; }));
  git.commit(1);
  REQUIRE(eventually([&] { return git.title() == "Revision 1"; }));
  git.repository.in({"reset", "--quiet", "--hard", git.first});
  git.commit(66);
  CHECK(eventually([&] { return git.problems().find("was rewritten") != std::string::npos; }));
  git.configure("    allowNonFastForward: true\n", "webhook: {url: http://127.0.0.1:1/hook, secretFile: /nowhere}\n");
  CHECK(git.graftd.start({"reload", "--wait", "30s"})->wait() != 0);
  CHECK(git.graftd.start({"sync", "--wait", "30s"})->wait() == 0);
  CHECK(git.title() == "Revision 1");
  git.configure("    allowNonFastForward: true\n");
  CHECK(git.graftd.start({"reload", "--wait", "30s"})->wait() == 0);
  CHECK(eventually([&] { return git.title() == "Revision 66"; }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("git: plan, check and apply fetch by themselves; a rewritten history is taken when that is wanted") {
  const GitGraftd git;
  auto check = git.graftd.start({"check"});
  CHECK_MESSAGE(check->wait() == 0, check->err());
  auto plan = git.graftd.start({"plan", "--detailed-exitcode"});
  CHECK_MESSAGE(plan->wait() == 2, plan->err());
  CHECK(git.graftd.run("apply") == 0);
  CHECK(git.title() == "Revision 0");
  git.commit(1);
  git.repository.in({"commit", "--quiet", "--amend", "-m", "amended"});
  CHECK(git.graftd.run("apply") == 0);
  git.repository.in({"commit", "--quiet", "--amend", "-m", "amended again"});
  plan = git.graftd.start({"plan"});
  CHECK(plan->wait() != 0);
  CHECK_MESSAGE(plan->err().find("was rewritten") != std::string::npos, plan->err());
  git.configure("    allowNonFastForward: true\n");
  CHECK(git.graftd.run("apply") == 0);
  git.repository.write("prod/folder.yaml", "apiVersion: graftd/v1\nkind: Nonsense\n");
  git.repository.commit();
  check = git.graftd.start({"check"});
  CHECK(check->wait() == 65);
  CHECK_MESSAGE(check->err().find("folder.yaml:2:") != std::string::npos, check->err());
}

TEST_CASE("git: a reload to another repository waits for it, and is refused when it cannot be had") {
  const GitGraftd git;
  const auto daemon = git.graftd.start({"run"});
  REQUIRE(eventually([&] { return git.title() == "Revision 0"; }));
  git.configure("    allowLocal: true\n");
  const std::string other = git.graftd.directory.read("graftd.yaml");
  const std::size_t at = other.find(git.server->repository_url());
  std::string gone = other;
  gone.replace(at, git.server->repository_url().size(), "/nowhere.git");
  git.graftd.directory.write("graftd.yaml", gone);
  auto reload = git.graftd.start({"reload", "--wait", "30s"});
  CHECK(reload->wait() != 0);
  CHECK_MESSAGE(reload->err().find("/nowhere.git") != std::string::npos, reload->err());
  std::string local = other;
  local.replace(at, git.server->repository_url().size(), git.repository.path());
  git.graftd.directory.write("graftd.yaml", local);
  git.commit(7);
  reload = git.graftd.start({"reload", "--wait", "30s"});
  CHECK_MESSAGE(reload->wait() == 0, reload->err());
  CHECK(eventually([&] { return git.title() == "Revision 7"; }));
  CHECK(ends_well(*daemon));
}
