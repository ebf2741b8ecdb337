// The file system of the image, made by deploy/container/rootfs as the Containerfile does, and graftd in it as in a
// container: that root alone and read-only, a user id that nobody knows, no capabilities, limits.
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "simulator/simulator.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using graft::test::TemporaryDirectory;
using graft::test_support::Process;

constexpr std::uintmax_t mebibyte = 1024UL * 1024;
constexpr int stranger = 12'345;  // in group 0, as a container under a number that nobody knows

const fs::path source = GRAFTD_SOURCE_DIR;

// The program of the package, or of a release build; else that of this build, whose size says nothing.
struct Program {
  Program() {
    for (const std::string& path : {std::string(GRAFTD_PACKAGE_BIN), (source / "build/release/bin/graftd").string()})
      if (file.empty() && fs::exists(path)) file = path;
    shipped = !file.empty();
    if (!shipped) file = std::string(GRAFTD_BIN_DIR) + "/graftd";
  }
  std::string file;
  bool shipped = false;
};

struct Image {
  Image() {
    const std::string script = (source / "deploy/container/rootfs").string();
    Process made({script, program.file, root()}, output.path().string(),
                 {{"GRAFTD_ROOTFS_UID", std::to_string(stranger)}});
    const int code = made.wait();
    REQUIRE_MESSAGE(code == 0, made.err());
  }
  [[nodiscard]] std::string root() const { return directory / "root"; }
  [[nodiscard]] fs::path path(const std::string& inside) const { return fs::path(root()) / inside; }

  Program program;
  TemporaryDirectory directory, output;
};

std::uintmax_t size_of(const fs::path& folder) {
  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && !entry.is_symlink()) size += entry.file_size();
  return size;
}

// What a container's runtime adds: its folders, and the names that it knows.
void add_mount_points(const Image& image) {
  for (const char* folder : {"proc", "dev", "manifests"}) fs::create_directories(image.path(folder));
  std::ofstream(image.path("etc/hosts")) << "127.0.0.1 grafana.test\n";
}

// Mounts in a namespace of its own, then the image's root, the user and graftd. ("$1" is the root, "$2" the manifests.)
constexpr const char* enclose = R"(set -eu
root=$1 manifests=$2
shift 2
mount --bind "$root" "$root"
mount --bind "$manifests" "$root/manifests"
mount --bind "$root/var/lib/graftd" "$root/var/lib/graftd"
mount --bind "$root/run/graftd" "$root/run/graftd"
mount -o remount,bind,ro "$root"
mount -o remount,bind,ro "$root/manifests"
mount --rbind /proc "$root/proc"
mount --bind /dev "$root/dev"
ulimit -n 256
ulimit -c 0
exec unshare --root="$root" --wd=/ --setgid=0 --setuid=12345 -- /usr/bin/graftd "$@"
)";

struct Container {
  explicit Container(const Image& made) : image(made) { add_mount_points(made); }

  [[nodiscard]] std::unique_ptr<Process> start(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"/usr/bin/unshare",
                                 "--mount",
                                 "--propagation=private",
                                 "--",
                                 "/bin/sh",
                                 "-c",
                                 enclose,
                                 "enclose",
                                 image.root(),
                                 (source / "config/examples/tutorial").string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return std::make_unique<Process>(all, image.output.path().string());
  }
  const Image& image;
};

bool can_enclose() {
  if (::geteuid() == 0) return true;
  MESSAGE("not run: only root can mount and take another user's id");
  return false;
}

}  // namespace

TEST_CASE("the image holds the program, its libraries and certificates, and no other program") {
  const Image image;
  std::set<std::string> programs;
  for (const auto& entry : fs::directory_iterator(image.path("usr/bin"))) programs.insert(entry.path().filename());
  CHECK(programs == std::set<std::string>{"graftd"});
  for (const char* folder : {"bin", "sbin", "usr/sbin"}) CHECK_FALSE(fs::exists(image.path(folder)));
  CHECK(fs::file_size(image.path("etc/ssl/certs/ca-certificates.crt")) > 100'000);
  // Where OpenSSL looks; the link is absolute, and right in the image.
  CHECK(fs::read_symlink(image.path("usr/lib/ssl/cert.pem")) == "/etc/ssl/certs/ca-certificates.crt");
  CHECK(fs::exists(image.path("usr/share/doc/libstdc++6/copyright")));
  CHECK(fs::exists(image.path("var/lib/dpkg/status.d/libssl3")));
  for (const auto& entry : fs::recursive_directory_iterator(image.root())) {
    CAPTURE(entry.path().string());
    const fs::perms mode = entry.symlink_status().permissions();
    if (entry.is_symlink() || entry.path().filename() == "tmp") continue;
    CHECK((mode & (fs::perms::others_write | fs::perms::set_uid | fs::perms::set_gid)) == fs::perms::none);
  }
}

TEST_CASE("the image is 40 MiB at most") {
  const Image image;
  if (!image.program.shipped) {
    MESSAGE("not run: there is neither a package nor a release build here");
    return;
  }
  const std::uintmax_t size = size_of(image.root());
  MESSAGE("bytes in the image: " << size);
  CHECK(size <= 40 * mebibyte);
}

TEST_CASE("in a read-only root, without rights, under any user id graftd converges, is healthy and stops") {
  if (!can_enclose()) return;
  const Image image;
  const Container container(image);
  const graft::simulator::Simulator grafana(graft::simulator::Options{});
  std::string url = grafana.url();
  url.replace(url.find("127.0.0.1"), 9, "grafana.test");  // by /etc/hosts: looking up names works
  std::ofstream(image.path("var/lib/graftd/password")) << "admin\n";

  const auto daemon = container.start({"run", "--owner=image", "--grafana-url=" + url, "--grafana-auth-username=admin",
                                       "--grafana-auth-password-file=/var/lib/graftd/password",
                                       "--manifests-directory=/manifests", "--http-listen=127.0.0.1:0"});
  const bool done = daemon->wait_for("msg=\"cycle done\"", std::chrono::seconds(60));
  REQUIRE_MESSAGE(done, daemon->err());
  const auto probe = container.start({"status", "--probe"});
  CHECK_MESSAGE(probe->wait() == 0, probe->err());

  struct stat info{};
  REQUIRE(::stat(image.path("var/lib/graftd/tokens/apiorg/test-token").c_str(), &info) == 0);
  CHECK(info.st_uid == stranger);
  CHECK((info.st_mode & 0777U) == 0600);
  std::ifstream file(fmt::format("/proc/{}/status", daemon->pid()));
  const std::string status{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  CHECK(status.find("CapEff:\t0000000000000000") != std::string::npos);
  CHECK(status.find("Uid:\t12345\t12345") != std::string::npos);
  daemon->signal(SIGTERM);
  CHECK(daemon->wait(std::chrono::seconds(30)) == 0);
}

TEST_CASE("what is outside of the two folders cannot be written in the container") {
  if (!can_enclose()) return;
  const Image image;
  const Container container(image);
  const auto refused = container.start({"apply", "--owner=image", "--grafana-url=http://127.0.0.1:1",
                                        "--grafana-auth-username=admin", "--grafana-auth-password-file=/etc/hosts",
                                        "--manifests-directory=/manifests", "--state-directory=/etc/state"});
  CHECK(refused->wait() == 73);
  CHECK_MESSAGE(refused->err().find("Read-only file system") != std::string::npos, refused->err());
}
