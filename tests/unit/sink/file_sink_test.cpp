#include "sink/file_sink.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <grp.h>
#include <set>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/hash.hpp"
#include "sink/marker.hpp"
#include "support/temporary_directory.hpp"

namespace graft::sink {

namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

// A well-formed key, a different one for each number.
std::string key_text(unsigned number) {
  const std::string start = fmt::format("glsa_{:032}", number);
  const std::uint32_t crc = crc32_ieee(start);
  return fmt::format("{}_{:02x}{:02x}{:02x}{:02x}", start, crc & 0xffU, (crc >> 8U) & 0xffU, (crc >> 16U) & 0xffU,
                     crc >> 24U);
}
Secret key(unsigned number) { return Secret(key_text(number)); }

Marker marker(unsigned generations = 1) {
  Marker out{"owner", "2/sa-2-test/test-token", "0123456789abcdef0123456789abcdef", {}};
  for (unsigned i = generations; i > 0; --i)
    out.entries.push_back(
        {fingerprint(out.salt, key(i)), i, TokenId(10 + i), WallTime{std::chrono::seconds{1'800'000'000 + i}}});
  return out;
}

class Bench {
 public:
  Bench() : Bench("apiorg/test-token") {}
  explicit Bench(std::string path) {
    target.directory = place / "tokens";
    target.path = std::move(path);
  }
  [[nodiscard]] std::unique_ptr<BlockingSink> sink() const { return make_file_sink(target); }
  [[nodiscard]] Reading read() const {
    auto reading = sink()->read();
    REQUIRE_MESSAGE(reading, reading.error().describe());
    return std::move(*reading);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return place / ("tokens/apiorg/" + name); }
  [[nodiscard]] std::set<std::string> entries() const {
    std::set<std::string> out;
    if (!fs::exists(file(""))) return out;
    for (const auto& entry : fs::directory_iterator(file(""))) out.insert(entry.path().filename().string());
    return out;
  }

  TemporaryDirectory place;
  FileTarget target;
};

unsigned mode_of(const std::string& path) {
  struct stat info{};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

const std::set<std::string> key_and_marker{"test-token", ".test-token.graftd"};

}  // namespace

TEST_CASE("what is put is read back: the key alone in its file, its marker beside it") {
  Bench bench;
  const auto sink = bench.sink();
  CHECK(sink->describe() == "file apiorg/test-token");
  REQUIRE(sink->probe());
  CHECK(bench.entries().empty());
  REQUIRE(sink->put(key(1), marker(3)));
  CHECK(bench.place.read("tokens/apiorg/test-token") == key_text(1));
  CHECK(bench.entries() == key_and_marker);
  CHECK(mode_of(bench.place / "tokens") == 0711);
  CHECK(mode_of(bench.file("")) == 0711);
  CHECK(mode_of(bench.file("test-token")) == 0600);
  CHECK(mode_of(bench.file(".test-token.graftd")) == 0600);
  const Reading reading = bench.read();
  CHECK(reading.state == KeyState::present);
  CHECK(reading.key.reveal() == key_text(1));
  REQUIRE(reading.marker);
  CHECK(reading.marker->owner == "owner");
  CHECK(reading.marker->slot == "2/sa-2-test/test-token");
  CHECK(reading.marker->entries == marker(3).entries);
  CHECK(reading.fingerprint == reading.marker->entries.back().fingerprint);
  CHECK(reading.fingerprint.size() == 16);
}

TEST_CASE("a declared mode is set on the key and by every put again; the marker stays ours alone") {
  Bench bench;
  bench.target.mode = 0640;
  REQUIRE(bench.sink()->put(key(1), marker()));
  CHECK(mode_of(bench.file("test-token")) == 0640);
  ::chmod(bench.file("test-token").c_str(), 0666);
  CHECK(bench.read().state == KeyState::present);
  REQUIRE(bench.sink()->put(key(2), marker(2)));
  CHECK(mode_of(bench.file("test-token")) == 0640);
  CHECK(mode_of(bench.file(".test-token.graftd")) == 0600);
}

TEST_CASE("a declared owner and group are looked up by name") {
  Bench bench;
  const group* const ours = ::getgrgid(::getegid());
  bench.target.group = ours != nullptr ? ours->gr_name : std::to_string(::getegid());
  bench.target.owner = std::to_string(::geteuid());
  REQUIRE(bench.sink()->probe());
  REQUIRE(bench.sink()->put(key(1), marker()));
  for (auto* const name : {&bench.target.owner, &bench.target.group}) {
    const std::string before = *name;
    *name = "no-such-name-here";
    for (const auto& status : {bench.sink()->probe(), bench.sink()->put(key(2), marker())}) {
      REQUIRE_FALSE(status);
      CHECK(status.error().code == ErrorCode::io);
      CHECK(status.error().message.find("\"no-such-name-here\"") != std::string::npos);
    }
    *name = before;
  }
  CHECK(bench.place.read("tokens/apiorg/test-token") == key_text(1));
}

TEST_CASE("nothing there reads as missing, also when the folders are missing") {
  Bench bench;
  CHECK(bench.read().state == KeyState::missing);
  fs::create_directories(bench.file(""));
  CHECK(bench.read().state == KeyState::missing);
  bench.place.write("tokens/apiorg/.test-token.graftd", write_marker(marker()));
  const Reading only_marker = bench.read();
  CHECK(only_marker.state == KeyState::missing);
  CHECK(only_marker.marker);
  CHECK(only_marker.fingerprint.empty());
}

TEST_CASE("a key that was touched by another hand reads as malformed, and says why") {
  const std::string good = key_text(7);
  struct Row {
    std::string content, problem;
  };
  std::vector<Row> rows{
      {"", "empty"},
      {good + "\n", "47 bytes instead of 46, a line end after the key"},
      {good + "\r\n", "48 bytes instead of 46, a line end"},
      {good + "x", "47 bytes instead of 46"},
      {" " + good, "does not begin with glsa_"},
      {"glc_abcdef", "does not begin with glsa_"},
      {std::string("\0\0\0\0\0", 5), "does not begin with glsa_"},
      {good.substr(0, 37) + "-" + good.substr(38), "no _ before its checksum"},
      {std::string(5000, 'g'), "larger than 4096 bytes"},
  };
  for (std::size_t cut = 5; cut < good.size(); ++cut) rows.push_back({good.substr(0, cut), "bytes instead of 46"});
  for (std::size_t at = 5; at < good.size(); ++at) {
    std::string edited = good;
    edited[at] = edited[at] == 'z' ? 'y' : 'z';
    rows.push_back({edited, at == 37 ? "no _" : "checksum does not match"});
  }
  Bench bench;
  REQUIRE(bench.sink()->put(key(7), marker()));
  for (const Row& row : rows) {
    CAPTURE(row.content);
    bench.place.write("tokens/apiorg/test-token", row.content);
    const Reading reading = bench.read();
    CHECK(reading.state == KeyState::malformed);
    CHECK(reading.key.empty());
    CHECK(reading.fingerprint.empty());
    CHECK(reading.marker);
    CHECK_MESSAGE(reading.problem.find(row.problem) != std::string::npos, reading.problem);
    CHECK(reading.problem.find(good.substr(5, 32)) == std::string::npos);
  }
  REQUIRE(bench.sink()->put(key(8), marker()));
  CHECK(bench.read().key.reveal() == key_text(8));
}

TEST_CASE(
    "a link, FIFO or folder in the place of the key is malformed to read and refused to write; nothing is followed") {
  for (const std::string kind : {"link", "dangling link", "fifo", "folder"}) {
    for (const std::string name : {"test-token", ".test-token.graftd"}) {
      CAPTURE(kind);
      CAPTURE(name);
      Bench bench;
      bench.place.write("canary", key_text(3));
      fs::create_directories(bench.file(""));
      const std::string file = bench.file(name);
      if (kind == "link") fs::create_symlink(bench.place / "canary", file);
      if (kind == "dangling link") fs::create_symlink(bench.place / "nowhere", file);
      if (kind == "fifo") REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
      if (kind == "folder") fs::create_directory(file);
      const Reading reading = bench.read();
      CHECK_FALSE(reading.marker);
      if (name == "test-token") {
        CHECK(reading.state == KeyState::malformed);
        CHECK(reading.problem.find(kind.find("link") != std::string::npos ? "symbolic link" : "no regular file") !=
              std::string::npos);
      } else {
        CHECK(reading.state == KeyState::missing);
      }
      for (const auto& status : {bench.sink()->probe(), bench.sink()->put(key(1), marker())}) {
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::io);
        CHECK(status.error().message.find("is no regular file") != std::string::npos);
      }
      CHECK(bench.place.read("canary") == key_text(3));
      CHECK_FALSE(fs::exists(bench.place / "nowhere"));
      CHECK_FALSE(fs::is_regular_file(fs::symlink_status(bench.file("test-token"))));
    }
  }
}

TEST_CASE("a hard link to the key keeps the old key, the file gets the new one") {
  Bench bench;
  REQUIRE(bench.sink()->put(key(1), marker()));
  fs::create_hard_link(bench.file("test-token"), bench.place / "kept");
  REQUIRE(bench.sink()->put(key(2), marker(2)));
  CHECK(bench.place.read("kept") == key_text(1));
  CHECK(bench.read().key.reveal() == key_text(2));
}

TEST_CASE("the token directory may be a link, a folder below it may not") {
  Bench bench;
  fs::create_directory(bench.place / "real");
  fs::create_directory_symlink("real", bench.place / "tokens");
  REQUIRE(bench.sink()->put(key(1), marker()));
  CHECK(bench.place.read("real/apiorg/test-token") == key_text(1));
  fs::rename(bench.place / "real/apiorg", bench.place / "elsewhere");
  fs::create_directory_symlink("../elsewhere", bench.place / "real/apiorg");
  CHECK(bench.sink()->read().error().code == ErrorCode::io);  // unknown, not missing
  CHECK_FALSE(bench.sink()->probe());
  CHECK_FALSE(bench.sink()->put(key(2), marker()));
  CHECK(bench.place.read("elsewhere/test-token") == key_text(1));
}

TEST_CASE("a path that would leave the token directory, or meet our own files, is refused") {
  for (const std::string path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "/", ".", "a/.", "a\nb",
                                 ".x.graftd", "a/.b.graftd", "a/.b.graftd-tmp-0123456789abcdef"}) {
    CAPTURE(path);
    Bench bench(path);
    const auto sink = bench.sink();
    CHECK(sink->probe().error().code == ErrorCode::invalid);
    CHECK(sink->read().error().code == ErrorCode::invalid);
    CHECK(sink->put(key(1), marker()).error().code == ErrorCode::invalid);
    CHECK_FALSE(fs::exists(bench.place / "tokens"));
  }
}

TEST_CASE("a probe removes what crashed writes of this target have left, and only that") {
  Bench bench;
  REQUIRE(bench.sink()->put(key(1), marker()));
  bench.place.write("tokens/apiorg/.test-token.graftd-tmp-0123456789abcdef", "half a key");
  bench.place.write("tokens/apiorg/..test-token.graftd.graftd-tmp-0123456789abcdef", "half a marker");
  bench.place.write("tokens/apiorg/.other.graftd-tmp-0123456789abcdef", "of another");
  REQUIRE(bench.sink()->probe());
  auto expected = key_and_marker;
  expected.insert(".other.graftd-tmp-0123456789abcdef");
  CHECK(bench.entries() == expected);
  CHECK(bench.read().key.reveal() == key_text(1));
}

TEST_CASE("a directory that cannot be written fails the probe before a key exists") {
  if (::geteuid() == 0) {
    // A file in the place of the directory is what root cannot write either.
    Bench bench;
    bench.place.write("tokens", "");
    CHECK(bench.sink()->probe().error().code == ErrorCode::io);
    CHECK(bench.sink()->read().error().code == ErrorCode::io);
    return;
  }
  Bench bench;
  fs::create_directories(bench.file(""));
  fs::permissions(bench.file(""), fs::perms::owner_read | fs::perms::owner_exec);
  const auto status = bench.sink()->probe();
  fs::permissions(bench.file(""), fs::perms::owner_all);
  REQUIRE_FALSE(status);
  CHECK(status.error().hint.find("uid") != std::string::npos);
}

TEST_CASE("no room for the key fails the probe, leaves nothing and keeps the old key") {
  Bench bench;
  REQUIRE(bench.sink()->put(key(1), marker()));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto* const handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit lower{20, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &lower);
  const auto probed = bench.sink()->probe();
  const auto put = bench.sink()->put(key(2), marker(2));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK_FALSE(probed);
  CHECK_FALSE(put);
  CHECK(bench.entries() == key_and_marker);
  CHECK(bench.read().key.reveal() == key_text(1));
}

TEST_CASE("a reader who polls while keys are replaced sees whole keys only, never another mode") {
  Bench bench;
  REQUIRE(bench.sink()->put(key(0), marker()));
  std::atomic<bool> stop{false};
  std::atomic<long> looks{0}, bad{0};
  std::thread reader([&] {
    const std::string path = bench.file("test-token");
    while (!stop) {
      char buffer[100];
      struct stat info{};
      const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      const long size = ::read(descriptor, buffer, sizeof buffer);
      const bool whole = size > 0 && !malformed_key(std::string_view(buffer, static_cast<std::size_t>(size)));
      const bool private_mode = ::fstat(descriptor, &info) == 0 && (info.st_mode & 0777U) == 0600;
      if (!whole || !private_mode) ++bad;
      ++looks;
      ::close(descriptor);
    }
  });
  const auto sink = bench.sink();
  for (unsigned i = 1; i <= 2000; ++i) {
    if (!sink->put(key(i), marker())) ++bad;
  }
  stop = true;
  reader.join();
  CHECK(bad == 0);
  CHECK(looks > 100);
  CHECK(bench.read().key.reveal() == key_text(2000));
  CHECK(bench.entries() == key_and_marker);
}

TEST_CASE("a process killed at any moment leaves the old key or the new one, and a probe tidies up") {
  Bench bench;
  REQUIRE(bench.sink()->put(key(0), marker(3)));
  for (int round = 0; round < 30; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto sink = bench.sink();
      for (unsigned i = 0;; ++i) static_cast<void>(sink->put(key(i % 3), marker(3)));
    }
    ::usleep(static_cast<useconds_t>(3000 + round * 137));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const Reading reading = bench.read();
    CHECK(reading.state == KeyState::present);
    REQUIRE(reading.marker);
    CHECK(reading.marker->entries.size() == 3);
    REQUIRE(bench.sink()->probe());
    CHECK(bench.entries() == key_and_marker);
  }
}

}  // namespace graft::sink
