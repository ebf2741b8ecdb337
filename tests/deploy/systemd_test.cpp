// The files of deploy/systemd, judged by systemd's own tools in a file system of their own: nothing of the machine is
// read or changed. The tools are part of the package systemd; without them these tests fail.
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using graft::test::TemporaryDirectory;
using graft::test_support::Process;

const fs::path files = fs::path(GRAFTD_SOURCE_DIR) / "deploy/systemd";

std::string tool(const std::string& name) {
  const std::string path = "/usr/bin/" + name;
  REQUIRE_MESSAGE(fs::exists(path), path << " is missing: install the package systemd");
  return path;
}

std::string content(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path.string() << " is missing");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A machine on which graftd is installed as deploy/systemd/README.md says.
struct Root {
  Root() {
    install("graftd.service", "usr/lib/systemd/system/graftd.service");
    install("graftd.sysusers", "usr/lib/sysusers.d/graftd.conf");
    install("graftd.tmpfiles", "usr/lib/tmpfiles.d/graftd.conf");
    directory.write("usr/bin/graftd", "#!/bin/sh\n");
    fs::permissions(directory / "usr/bin/graftd", fs::perms::owner_all);
    fs::create_directories(directory / "etc");
  }

  void install(const std::string& file, const std::string& place) const {
    directory.write(place, content(files / file));
  }

  struct Ran {
    int code;
    std::string out, err;
  };
  [[nodiscard]] Ran run(const std::string& name, const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{tool(name), "--root=" + directory.path().string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    Process process(all, output.path().string(), {{"SYSTEMD_COLORS", "0"}, {"LC_ALL", "C.UTF-8"}});
    const int code = process.wait();
    return {code, process.out(), process.err()};
  }
  // --man=no: the manual page comes with the package.
  [[nodiscard]] Ran verify() const {
    return run("systemd-analyze", {"verify", "--man=no", "--recursive-errors=no", "graftd.service"});
  }
  [[nodiscard]] Ran security(int threshold) const {
    return run("systemd-analyze", {"security", "--offline=true", "--no-pager",
                                   "--threshold=" + std::to_string(threshold), "graftd.service"});
  }

  TemporaryDirectory directory, output;
};

double exposure(const std::string& table) {
  static const std::regex form(R"(Overall exposure level for graftd\.service: ([0-9.]+))");
  std::smatch match;
  REQUIRE_MESSAGE(std::regex_search(table, match, form), table);
  return std::stod(match[1]);
}

// Directive → its last value.
std::map<std::string, std::string> directives(const fs::path& unit) {
  std::map<std::string, std::string> found;
  std::istringstream lines(content(unit));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && !line.starts_with('#')) found[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return found;
}

}  // namespace

TEST_CASE("the unit is without a fault, and with the example of the network's limits") {
  const Root root;
  auto ran = root.verify();
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());

  root.install("network.conf.example", "etc/systemd/system/graftd.service.d/network.conf");
  ran = root.verify();
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
}

TEST_CASE("the check of the unit sees a fault") {
  const Root root;
  root.directory.write("etc/systemd/system/graftd.service.d/fault.conf", "[Service]\nLimitCORES=0\n");
  CHECK(root.verify().err.find("LimitCORES") != std::string::npos);
  fs::remove(root.directory / "etc/systemd/system/graftd.service.d/fault.conf");
  fs::remove(root.directory / "usr/bin/graftd");
  CHECK(root.verify().code != 0);
}

TEST_CASE("the drop-in for newer systemd holds nothing that an older one would not just ignore") {
  const Root root;
  root.install("notify-reload.conf", "etc/systemd/system/graftd.service.d/notify-reload.conf");
  std::istringstream lines(root.verify().err);
  for (std::string line; std::getline(lines, line);)
    CHECK_MESSAGE(line.find("Failed to parse service type") != std::string::npos, line);
}

TEST_CASE("what the service could do to the machine is rated at 1.5 of 10 at most") {
  const Root root;
  const auto ran = root.security(15);
  CHECK(ran.code == 0);
  CHECK(exposure(ran.out) <= 1.5);
  CHECK(root.security(1).code != 0);  // the threshold is looked at

  root.install("network.conf.example", "etc/systemd/system/graftd.service.d/network.conf");
  CHECK(exposure(root.security(15).out) < exposure(ran.out));
}

TEST_CASE("the directives that keys depend on are there") {
  const auto unit = directives(files / "graftd.service");
  const std::map<std::string, std::string> wanted{{"LimitCORE", "0"},       {"WatchdogSignal", "SIGKILL"},
                                                  {"MemorySwapMax", "0"},   {"UMask", "0077"},
                                                  {"NotifyAccess", "main"}, {"StateDirectoryMode", "0700"}};
  for (const auto& [name, value] : wanted) {
    CAPTURE(name);
    REQUIRE(unit.contains(name));
    CHECK(unit.at(name) == value);
  }
}

TEST_CASE("the configuration that is shipped uses the directories and the credential that the unit provides") {
  const auto unit = directives(files / "graftd.service");
  const std::string configuration = content(fs::path(GRAFTD_SOURCE_DIR) / "config/graftd.yaml");
  const std::string& credential = unit.at("LoadCredential");
  CHECK(configuration.find("${CREDENTIALS_DIRECTORY}/" + credential.substr(0, credential.find(':'))) !=
        std::string::npos);
  const std::string state = "directory: /var/lib/" + unit.at("StateDirectory") + "/";
  CHECK(configuration.find(state + "state") != std::string::npos);
  CHECK(configuration.find(state + "tokens") != std::string::npos);
}

TEST_CASE("the user, the directories and the start at boot are made as the files say") {
  const Root root;
  CHECK(root.run("systemd-sysusers", {"graftd.conf"}).code == 0);
  const std::string users = content(root.directory / "etc/passwd");
  CHECK(users.find(":Grafana reconciler:/var/lib/graftd:/usr/sbin/nologin") != std::string::npos);
  CHECK(content(root.directory / "etc/group").find("graftd:") != std::string::npos);

  if (::geteuid() != 0) {  // who cannot give to root: "-" is whoever runs it
    const std::string rules = content(files / "graftd.tmpfiles");
    root.directory.write("usr/lib/tmpfiles.d/graftd.conf", std::regex_replace(rules, std::regex("root +root"), "- -"));
  }
  const auto made = root.run("systemd-tmpfiles", {"--create", "graftd.conf"});
  CHECK(made.code == 0);
  CHECK(made.err.empty());
  const auto mode = [&](const std::string& path) { return fs::status(root.directory / path).permissions(); };
  CHECK(mode("etc/graftd/credentials") == fs::perms::owner_all);
  CHECK(mode("etc/graftd/manifests") == fs::perms(0755));

  CHECK(root.run("systemctl", {"enable", "graftd.service"}).code == 0);
  CHECK(
      fs::is_symlink(fs::symlink_status(root.directory / "etc/systemd/system/multi-user.target.wants/graftd.service")));
}
