#include "source/directory_source.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "manifest/limits.hpp"
#include "manifest/loader.hpp"

using namespace graft;
namespace fs = std::filesystem;

namespace {

class Folder {  // a directory of its own, gone with the test
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "graftd-source-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, ignored);
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  void write(std::string_view name, std::string_view text) const {
    fs::create_directories(fs::path(*this / name).parent_path());
    std::ofstream(*this / name) << text;
  }
  void link(std::string_view target, std::string_view name) const { fs::create_symlink(target, *this / name); }

 private:
  std::string path_;
};

source::Settle at_once() {
  source::Settle settle;
  settle.quiet = std::chrono::milliseconds(0);
  settle.wait = [](std::chrono::milliseconds) {};
  return settle;
}

std::unique_ptr<manifest::Files> snapshot(const Folder& folder) {
  auto files = source::snapshot(folder.path(), at_once());
  REQUIRE_MESSAGE(files.has_value(), (files ? "" : files.error().describe()));
  return std::move(*files);
}

std::string listing(const manifest::Files& files, std::string_view folder = "") {
  const auto entries = files.list(folder);
  if (!entries) return "error: " + entries.error().message;
  std::string out;
  for (const auto& entry : *entries) out += entry.path + " ";
  return out;
}

std::string problems(const manifest::Files& files) {
  std::string out;
  for (const auto& entry : files.unreadable()) out += entry.path + " " + entry.why + "; ";
  return out;
}

std::string read(const manifest::Files& files, std::string_view path) {
  const auto text = files.read(path, 1000);
  return text ? *text : fmt::format("{}: {}", to_string(text.error().code), text.error().message);
}

bool says(const std::string& text, std::string_view expected) { return text.find(expected) != text.npos; }

}  // namespace

TEST_CASE("manifests and JSON files are listed by path; hidden entries and other files are not") {
  const Folder folder;
  for (const std::string_view name : {"b.yaml", "a.yml", "sub/c.json", "sub/deep/d.yaml", "readme.md", ".hidden.yaml",
                                      ".git/x.yaml", "sub/.y.yaml", "z.yaml~"}) {
    folder.write(name, name);
  }
  const auto files = snapshot(folder);
  CHECK(listing(*files) == "a.yml b.yaml sub/c.json sub/deep/d.yaml ");
  CHECK(listing(*files, "sub") == "sub/c.json sub/deep/d.yaml ");
  CHECK(listing(*files, "sub/deep") == "sub/deep/d.yaml ");
  CHECK(says(listing(*files, "su"), "there is no folder \"su\""));
  CHECK(read(*files, "sub/c.json") == "sub/c.json");
  CHECK(files->display("sub/c.json") == folder / "sub/c.json");
  CHECK(files->display("") == folder.path());
  CHECK(files->unreadable().empty());
}

TEST_CASE("no path leads out of the tree, whatever it looks like") {
  const Folder folder;
  folder.write("in/a.yaml", "a");
  folder.write("secret.yaml", "secret");
  const auto files = source::snapshot(folder / "in", at_once());
  REQUIRE(files.has_value());
  for (const std::string_view path : {"../secret.yaml", "/etc/passwd", "x/../../secret.yaml", "./../secret.yaml",
                                      "a.yaml/../../secret.yaml", "..", "/", "//etc/passwd", "../in/../secret.yaml",
                                      "a.yaml/..", "/proc/self/environ", "../../../../../../../../etc/passwd"}) {
    CAPTURE(path);
    CHECK(read(**files, path).starts_with("invalid: "));
  }
  for (const std::string_view path : {"", ".", "./a.yaml", "%2e%2e/secret.yaml", "..%2fsecret.yaml", "..\\secret.yaml",
                                      "~/x", "a.yaml/", "\xef\xbc\x8e\xef\xbc\x8e/secret.yaml", "missing.yaml"}) {
    CAPTURE(path);
    CHECK(read(**files, path).starts_with("not_found: "));
  }
}

TEST_CASE("links are followed inside the tree and are errors when they leave it") {
  const Folder folder, outside;
  outside.write("secret.yaml", "secret");
  folder.write("real/a.yaml", "a");
  folder.link("real/a.yaml", "good.yaml");
  folder.link("../real/a.yaml", "real/up.yaml");
  folder.link("real", "linked");
  folder.link(outside / "secret.yaml", "out.yaml");
  folder.link(folder / "real/a.yaml", "absolute.yaml");
  folder.link("../" + fs::path(outside.path()).filename().string() + "/secret.yaml", "relative.yaml");
  folder.link(outside.path(), "outdir");
  folder.link("nowhere.yaml", "dangling.yaml");
  folder.link("loop.yaml", "loop.yaml");
  folder.link("..", "real/round");
  folder.link("/proc/self/environ", "environ.json");
  const auto files = snapshot(folder);
  CHECK(listing(*files) == "good.yaml linked/a.yaml linked/up.yaml real/a.yaml real/up.yaml ");
  CHECK(read(*files, "good.yaml") == "a");
  CHECK(read(*files, "real/up.yaml") == "a");
  const std::string said = problems(*files);
  for (const std::string_view name : {"absolute.yaml", "environ.json", "out.yaml", "outdir", "relative.yaml"}) {
    CHECK_MESSAGE(says(said, fmt::format("{} is a link that leaves the manifest tree", name)), said);
  }
  CHECK_MESSAGE(says(said, "dangling.yaml is a link to nothing"), said);
  CHECK_MESSAGE(says(said, "loop.yaml is a link that cannot be followed"), said);
  CHECK_MESSAGE(says(said, "real/round is a link to a folder round itself"), said);
  CHECK(read(*files, "out.yaml").starts_with("invalid: "));
  const auto result = manifest::load(*files, {});
  CHECK(result.state == nullptr);
}

TEST_CASE("FIFOs, sockets and devices under a manifest's name are errors, and never block") {
  const Folder folder;
  folder.write("a.yaml", "a: 1");
  REQUIRE(mkfifo((folder / "fifo.yaml").c_str(), 0600) == 0);
  REQUIRE(mkfifo((folder / "harmless").c_str(), 0600) == 0);
  folder.link("fifo.yaml", "link.json");
  const int number = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "s.yaml").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(number);
  fs::create_directory(folder / "folder.yaml");
  const auto files = snapshot(folder);
  CHECK(listing(*files) == "a.yaml ");
  CHECK(problems(*files) ==
        "fifo.yaml is a FIFO, not a file; link.json is a FIFO, not a file; s.yaml is a socket, not a file; ");
  CHECK(says(read(*files, "fifo.yaml"), "is a FIFO"));
  CHECK(says(read(*files, "folder.yaml"), "is a folder, not a file"));
}

TEST_CASE("a ConfigMap volume is read through its ..data link, one version at a time") {
  const Folder folder;
  const auto publish = [&](std::string_view version) {
    const std::string data = fmt::format("..2026_{}", version);
    folder.write(data + "/a.yaml", version);
    folder.write(data + "/b.yaml", version);
    std::error_code ignored;
    fs::create_symlink(data, folder / "..data_tmp", ignored);
    fs::rename(folder / "..data_tmp", folder / "..data");
  };
  publish("1");
  folder.link("..data/a.yaml", "a.yaml");
  folder.link("..data/b.yaml", "b.yaml");
  const auto first = snapshot(folder);
  const auto before = source::fingerprint(folder.path());
  CHECK(listing(*first) == "a.yaml b.yaml ");
  CHECK(first->display("a.yaml") == folder / "a.yaml");
  publish("2");
  const auto second = snapshot(folder);
  CHECK(read(*first, "a.yaml") == "1");
  CHECK(read(*first, "b.yaml") == "1");
  CHECK(read(*second, "a.yaml") == "2");
  CHECK(first->revision() != second->revision());
  CHECK(before.value() != source::fingerprint(folder.path()).value());
}

TEST_CASE("while versions are switched all the time, no snapshot mixes two of them") {
  const Folder folder;
  std::atomic<bool> stop = false;
  const auto publish = [&](int version) {
    const std::string data = fmt::format("v{}", version % 3);
    for (int i = 0; i < 20; ++i) folder.write(fmt::format("{}/f{}.yaml", data, i), fmt::format("{}", version));
    std::error_code ignored;
    fs::create_symlink(data, folder / "next", ignored);
    fs::rename(folder / "next", folder / "current", ignored);
  };
  publish(0);
  std::thread writer([&] {
    for (int version = 1; !stop; ++version) publish(version);
  });
  int whole = 0;
  for (int i = 0; i < 150; ++i) {
    const auto files = source::snapshot(folder / "current", at_once());
    if (!files) {
      CHECK(files.error().code == ErrorCode::unavailable);
      continue;
    }
    ++whole;
    const std::string version = read(**files, "f0.yaml");
    for (int f = 1; f < 20; ++f) CHECK(read(**files, fmt::format("f{}.yaml", f)) == version);
  }
  stop = true;
  writer.join();
  CHECK(whole > 0);
}

TEST_CASE("a tree that changes during every attempt is still being written; one that comes to rest is read") {
  const Folder folder;
  folder.write("a.yaml", "a");
  source::Settle settle;
  settle.quiet = std::chrono::hours(1);
  settle.attempts = 3;
  int waits = 0;
  settle.wait = [&](std::chrono::milliseconds) { ++waits; };
  const auto busy = source::snapshot(folder.path(), settle);
  REQUIRE_FALSE(busy.has_value());
  CHECK(busy.error().code == ErrorCode::unavailable);
  CHECK(busy.error().retryable);
  CHECK(says(busy.error().message, "is still being written"));
  CHECK(waits == 2);
  source::Settle short_quiet;
  short_quiet.quiet = std::chrono::milliseconds(60);
  CHECK(source::snapshot(folder.path(), short_quiet).has_value());
}

TEST_CASE("the fingerprint changes with content, names, times and rights to read, and with nothing else") {
  const Folder folder;
  folder.write("a.yaml", "one");
  const auto print = [&] { return source::fingerprint(folder.path()).value(); };
  std::string last = print();
  CHECK(print() == last);
  folder.write("notes.txt", "x");
  folder.write(".swp.yaml", "x");
  CHECK(print() == last);
  const auto changed = [&] {
    const std::string now = print();
    const bool differs = now != last;
    last = now;
    return differs;
  };
  folder.write("a.yaml", "two");
  CHECK(changed());
  folder.write("sub/b.json", "{}");
  CHECK(changed());
  fs::rename(folder / "a.yaml", folder / "c.yaml");
  CHECK(changed());
  fs::remove(folder / "sub/b.json");
  CHECK(changed());
  fs::remove(folder / "sub");
  CHECK(changed());
  folder.link("nowhere", "x.yaml");
  CHECK(changed());
}

TEST_CASE("the revision names the content, not the place") {
  const Folder one, two;
  one.write("a.yaml", "x");
  two.write("a.yaml", "x");
  CHECK(snapshot(one)->revision() == snapshot(two)->revision());
  two.write("a.yaml", "y");
  CHECK(snapshot(one)->revision() != snapshot(two)->revision());
}

TEST_CASE("a directory that is missing or may not be read is said with what to do") {
  const Folder folder;
  const auto missing = source::snapshot(folder / "nowhere", at_once());
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == ErrorCode::io);
  CHECK(says(missing.error().describe(), folder / "nowhere"));
  CHECK(says(missing.error().describe(), "does not exist"));
  CHECK_FALSE(source::fingerprint(folder / "nowhere").has_value());
  if (geteuid() != 0) {  // root may read everything
    fs::permissions(folder.path(), fs::perms::none);
    const auto closed = source::snapshot(folder.path(), at_once());
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error().code == ErrorCode::io);
    CHECK(says(closed.error().describe(), fmt::format("may not be read by uid {}", geteuid())));
  }
}

TEST_CASE("a file that may not be read is reported, never passed over") {
  if (geteuid() == 0) return;  // root may read everything
  const Folder folder;
  folder.write("a.yaml", "a: 1");
  folder.write("sub/b.yaml", "b: 1");
  fs::permissions(folder / "a.yaml", fs::perms::none);
  fs::permissions(folder / "sub", fs::perms::none);
  const auto files = snapshot(folder);
  CHECK(says(problems(*files), "a.yaml cannot be read by uid"));
  CHECK(says(problems(*files), "sub cannot be read"));
  CHECK(listing(*files).empty());
  fs::permissions(folder / "sub", fs::perms::owner_all);
}

TEST_CASE("an empty directory is a tree without files") {
  const Folder folder;
  const auto files = snapshot(folder);
  CHECK(listing(*files).empty());
  const auto result = manifest::load(*files, {});
  REQUIRE(result.state != nullptr);
  CHECK(result.diagnostics.items().front().to_string().starts_with(folder.path() + ": warning: no manifests found"));
}

TEST_CASE("files and trees beyond the limits are not read") {
  const Folder folder;
  folder.write("a.yaml", "a: 1");
  fs::resize_file(folder / "a.yaml", std::uintmax_t{1} << 30U);  // sparse
  folder.write("b.json", "{}");
  const auto files = snapshot(folder);
  CHECK(says(read(*files, "a.yaml"), "is larger than"));
  const auto text = files->read("a.yaml", std::size_t{1} << 31U);
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().code == ErrorCode::invalid);
  CHECK(files->read("b.json", 1).error().code == ErrorCode::invalid);
  for (int i = 0; i < 5; ++i) {
    folder.write(fmt::format("big{}.json", i), "");
    fs::resize_file(folder / fmt::format("big{}.json", i), 15U << 20U);
  }
  const auto whole = source::snapshot(folder.path(), at_once());
  REQUIRE_FALSE(whole.has_value());
  CHECK(whole.error().code == ErrorCode::invalid);
  CHECK(says(whole.error().message, "larger than 64 MiB"));
}

TEST_CASE("folders within folders end somewhere") {
  const Folder folder;
  std::string path;
  for (int i = 0; i < 40; ++i) path += "d/";
  folder.write(path + "a.yaml", "x");
  CHECK(says(problems(*snapshot(folder)), "lies deeper than 32 folders"));
}

TEST_CASE("a single file is a source of its own, with what lies beside it when it is named") {
  const Folder folder;
  folder.write("m.yaml", "a: 1");
  folder.write("other.yaml", "broken: [");
  folder.write("boards/x.json", "{}");
  const auto files = source::snapshot(folder / "m.yaml", at_once());
  REQUIRE(files.has_value());
  CHECK(listing(**files) == "m.yaml ");
  CHECK(listing(**files, "boards") == "boards/x.json ");
  CHECK(read(**files, "boards/x.json") == "{}");
  CHECK(read(**files, "../x.json").starts_with("invalid: "));
  CHECK((*files)->display("m.yaml") == folder / "m.yaml");
  folder.write("notes.txt", "x");
  CHECK_FALSE(source::snapshot(folder / "notes.txt", at_once()).has_value());
}

TEST_CASE("a folder swapped for a link again and again never shows what lies outside") {
  const Folder folder, outside;
  outside.write("a.yaml", "secret");
  folder.write("sub/a.yaml", "ours");
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    std::error_code ignored;
    while (!stop) {
      fs::rename(folder / "sub", folder / ".kept", ignored);
      fs::create_symlink(outside.path(), folder / "sub", ignored);
      fs::remove(folder / "sub", ignored);
      fs::rename(folder / ".kept", folder / "sub", ignored);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto files = source::snapshot(folder.path(), at_once());
    if (files) CHECK(read(**files, "sub/a.yaml") != "secret");
  }
  stop = true;
  attacker.join();
}
