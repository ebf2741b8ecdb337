// The daemon as an operator meets it: it sees changes, survives mistakes, and ends when told.
#include <doctest/doctest.h>
#include <filesystem>
#include <signal.h>

#include "e2e/graftd.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test_support::eventually;

namespace {

bool folder_there(const Graftd& graftd, const std::string& uid) {
  return graftd.admin.get("/api/folders/" + uid, graftd.organization()).status == 200;
}

const std::string extra_folder =
    "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: extra, organization: apiorg}\nspec: {title: Extra}\n";

}  // namespace

TEST_CASE("run: makes the tutorial, sees a changed manifest within 2 s, ends cleanly on SIGTERM") {
  Graftd graftd;
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  CHECK(graftd.key_status() == 200);

  const auto begun = std::chrono::steady_clock::now();
  graftd.directory.write("manifests/extra.yaml", extra_folder);
  CHECK(eventually([&] { return folder_there(graftd, "extra"); }));
  CHECK(std::chrono::steady_clock::now() - begun < seconds(6));  // 2 s, and room for a loaded machine

  CHECK(ends_well(*daemon));
  CHECK(daemon->err().find(graftd.key()) == std::string::npos);
}

TEST_CASE("run: manifests that were never good end it with 65; later bad ones leave the last good ones in force") {
  Graftd graftd;
  graftd.directory.write("manifests/bad.yaml", "apiVersion: graftd/v1\nkind: Foldr\n");
  auto daemon = graftd.start({"run"});
  CHECK(daemon->wait() == 65);
  CHECK(daemon->err().find("bad.yaml:2:7") != std::string::npos);

  std::filesystem::remove(graftd.directory / "manifests/bad.yaml");
  graftd.configure("interval: 1s\n");
  daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  graftd.directory.write("manifests/bad.yaml", "apiVersion: graftd/v1\nkind: Foldr\n");
  REQUIRE(daemon->wait_for("last good revision stays in force"));
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  CHECK(eventually([&] { return folder_there(graftd, "ops"); }));

  // Also after a reload, which is refused as a whole.
  daemon->signal(SIGHUP);
  REQUIRE(daemon->wait_for("configuration not reloaded"));
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  CHECK(eventually([&] { return folder_there(graftd, "ops"); }));
  daemon->signal(SIGINT);
  CHECK(daemon->wait(seconds(20)) == 0);
}

TEST_CASE("run: a configuration that has become wrong is not taken over by SIGHUP") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  graftd.configure("intervall: 1s\n");
  daemon->signal(SIGHUP);
  REQUIRE(daemon->wait_for("configuration not reloaded"));
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  CHECK(eventually([&] { return folder_there(graftd, "ops"); }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: a corrected password is used within seconds; the wrong one was tried once") {
  Graftd graftd;
  graftd.directory.write("password", "wrong\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("login refused; logins stopped"));
  std::this_thread::sleep_for(seconds(3));
  CHECK(graftd.simulator.failed_logins() == 1);
  graftd.directory.write("password", "admin\n");
  CHECK(eventually([&] { return graftd.key_status() == 200; }, seconds(10)));
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: the flip of a ConfigMap's ..data link is one revision, seen at once") {
  Graftd graftd;
  const std::string volume = graftd.directory / "volume";
  graftd.directory.write("volume/..2026_1/apiorg.yaml", graftd.directory.read("manifests/apiorg.yaml"));
  std::filesystem::create_symlink("..2026_1", volume + "/..data");
  std::filesystem::create_symlink("..data/apiorg.yaml", volume + "/apiorg.yaml");
  auto daemon = graftd.start({"run", "--manifests-directory", volume});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  CHECK(graftd.key_status() == 200);
  graftd.directory.write("volume/..2026_2/apiorg.yaml",
                         graftd.directory.read("manifests/apiorg.yaml") + "---\n" + extra_folder);
  std::filesystem::create_symlink("..2026_2", volume + "/..data_tmp");
  std::filesystem::rename(volume + "/..data_tmp", volume + "/..data");
  CHECK(eventually([&] { return folder_there(graftd, "extra"); }));
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: Grafana goes down and comes back") {
  Graftd graftd;
  graftd.configure("interval: 1s\n");
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  graftd.simulator.stop_listening();
  REQUIRE(daemon->wait_for("msg=\"cycle stopped\""));
  graftd.simulator.start_listening();
  REQUIRE(graftd.admin.del("/api/folders/ops", graftd.organization()).status == 200);
  CHECK(eventually([&] { return folder_there(graftd, "ops"); }, seconds(35)));
  CHECK(ends_well(*daemon));
}

TEST_CASE("run: SIGTERM while Grafana is slow ends within 20 s; a second one at once") {
  for (const bool twice : {false, true}) {
    CAPTURE(twice);
    Graftd graftd;
    simulator::Fault slow;
    slow.kind = simulator::Fault::Kind::delay;
    slow.delay = seconds(40);
    slow.times = 1000;
    graftd.simulator.add_fault(slow);
    auto daemon = graftd.start({"run"});
    REQUIRE(daemon->wait_for("msg=started"));
    std::this_thread::sleep_for(milliseconds(300));
    daemon->signal(SIGTERM);
    REQUIRE(daemon->wait_for("msg=stopping"));
    if (twice) daemon->signal(SIGTERM);
    CHECK(daemon->wait(seconds(twice ? 2 : 20)) == (twice ? 143 : 0));
  }
}

TEST_CASE("a second graftd on one state directory is refused with 75") {
  Graftd graftd;
  auto daemon = graftd.start({"run"});
  REQUIRE(daemon->wait_for("msg=\"cycle done\""));
  CHECK(graftd.run("apply") == 75);
  CHECK(graftd.run("plan") == 0);  // which only looks
  CHECK(ends_well(*daemon));
}
