#include "base/atomic_file.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "support/temporary_directory.hpp"

namespace graft {

namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

Directory open(const TemporaryDirectory& place) { return Directory::open(place.path().string()).value(); }

std::vector<std::string> entries(const TemporaryDirectory& place) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(place.path())) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

unsigned mode_of(const std::string& path) {
  struct stat info{};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

// While it lives, files cannot grow beyond so many bytes, and writes fail with EFBIG instead of a signal.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : before_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit lower{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, before_);
  }

 private:
  void (*before_)(int);
  rlimit limit_{};
};

}  // namespace

TEST_CASE("a file is made and replaced with exactly its content and mode, whatever the umask") {
  TemporaryDirectory place;
  const mode_t before = ::umask(0077);
  for (const unsigned mode : {0600U, 0640U, 0644U, 0400U}) {
    for (const std::string content : {"first", "", "longer content", "x\n"}) {
      FileOptions options;
      options.mode = mode;
      REQUIRE(write_file_atomically(open(place), "key", content, options));
      CHECK(place.read("key") == content);
      CHECK(mode_of(place / "key") == mode);
    }
  }
  ::umask(before);
  CHECK(entries(place) == std::vector<std::string>{"key"});
}

TEST_CASE("whoever has the old file open keeps the old content") {
  TemporaryDirectory place;
  REQUIRE(write_file_atomically(open(place), "key", "old", {}));
  fs::create_hard_link(place / "key", place / "other-name");
  REQUIRE(write_file_atomically(open(place), "key", "new", {}));
  CHECK(place.read("other-name") == "old");
  CHECK(place.read("key") == "new");
}

TEST_CASE("a link, FIFO, socket or folder in the place of the file is refused and left alone") {
  TemporaryDirectory place;
  place.write("canary", "untouched");
  fs::create_symlink("canary", place / "link");
  fs::create_symlink("nowhere", place / "dangling");
  REQUIRE(::mkfifo((place / "fifo").c_str(), 0600) == 0);
  fs::create_directory(place / "folder");
  const auto before = entries(place);
  for (const std::string name : {"link", "dangling", "fifo", "folder"}) {
    CAPTURE(name);
    for (const auto& status :
         {write_file_atomically(open(place), name, "secret", {}), rehearse_write(open(place), name, 10, {})}) {
      REQUIRE_FALSE(status);
      CHECK(status.error().code == ErrorCode::io);
      CHECK(status.error().message.find(name + " is no regular file") != std::string::npos);
      CHECK(status.error().message.find("secret") == std::string::npos);
    }
  }
  CHECK(place.read("canary") == "untouched");
  CHECK(entries(place) == before);
}

TEST_CASE("a write that fails half-way leaves the old file and no temp file") {
  TemporaryDirectory place;
  REQUIRE(write_file_atomically(open(place), "key", "old", {}));
  {
    const SmallFiles limit(1000);
    const auto status = write_file_atomically(open(place), "key", std::string(5000, 'x'), {});
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::io);
    CHECK_FALSE(rehearse_write(open(place), "key", 5000, {}));
    CHECK(rehearse_write(open(place), "key", 500, {}));
  }
  CHECK(place.read("key") == "old");
  CHECK(entries(place) == std::vector<std::string>{"key"});
}

TEST_CASE("a full disk is reported with what to do, and the old file stays") {
  TemporaryDirectory place;
  if (::mount("tmpfs", place.path().c_str(), "tmpfs", 0, "size=16k") != 0) {
    MESSAGE("skipped: this process may not mount a tmpfs");
    return;
  }
  REQUIRE(write_file_atomically(open(place), "key", "old", {}));
  const auto status = write_file_atomically(open(place), "key", std::string(100'000, 'x'), {});
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find("No space left on device") != std::string::npos);
  CHECK(status.error().hint.find("make room") != std::string::npos);
  CHECK(place.read("key") == "old");
  CHECK(entries(place) == std::vector<std::string>{"key"});
  REQUIRE(::mount("tmpfs", place.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  const auto refused = write_file_atomically(open(place), "key", "new", {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().hint.find("read-only") != std::string::npos);
  ::umount2(place.path().c_str(), MNT_DETACH);
}

TEST_CASE("a folder that we may not write names the user that we are") {
  TemporaryDirectory place;
  fs::permissions(place.path(), fs::perms::owner_read | fs::perms::owner_exec);
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may write everywhere");
  } else {
    const auto status = write_file_atomically(open(place), "key", "new", {});
    REQUIRE_FALSE(status);
    CHECK(status.error().hint.find("uid " + std::to_string(::geteuid())) != std::string::npos);
  }
  fs::permissions(place.path(), fs::perms::owner_all);
}

TEST_CASE("an owner that we may not set leaves nothing behind") {
  TemporaryDirectory place;
  if (::geteuid() == 0) {
    FileOptions options;
    options.uid = 12345;
    options.gid = 23456;
    REQUIRE(write_file_atomically(open(place), "key", "new", options));
    struct stat info{};
    ::stat((place / "key").c_str(), &info);
    CHECK(info.st_uid == 12345);
    CHECK(info.st_gid == 23456);
    return;
  }
  FileOptions options;
  options.uid = 0;
  const auto status = write_file_atomically(open(place), "key", "new", options);
  REQUIRE_FALSE(status);
  CHECK(status.error().hint.find("only root") != std::string::npos);
  CHECK(entries(place).empty());
}

TEST_CASE("leftovers are recognised by their exact pattern and removed, nothing else is") {
  TemporaryDirectory place;
  const std::string hex = "0123456789abcdef";
  const std::vector<std::string> ours{".key.graftd-tmp-" + hex, ".key.graftd-tmp-ffffffffffffffff"};
  const std::vector<std::string> others{"key",
                                        ".key.graftd",
                                        ".key.graftd-tmp-",
                                        ".key.graftd-tmp-" + hex + "0",
                                        ".key.graftd-tmp-0123456789abcdeg",
                                        ".key2.graftd-tmp-" + hex,
                                        "..key.graftd.graftd-tmp-" + hex,
                                        "key.graftd-tmp-" + hex};
  for (const auto& name : ours) CHECK(is_leftover_of(name, "key"));
  for (const auto& name : others) CHECK_FALSE(is_leftover_of(name, "key"));
  for (const auto& name : ours) place.write(name, "half a key");
  for (const auto& name : others) place.write(name, "x");
  place.write("canary", "untouched");
  fs::create_symlink("canary", place / ".key.graftd-tmp-aaaaaaaaaaaaaaaa");
  fs::create_directory(place / ".key.graftd-tmp-bbbbbbbbbbbbbbbb");
  REQUIRE(remove_leftovers(open(place), "key"));
  auto expected = others;
  expected.push_back("canary");
  expected.push_back(".key.graftd-tmp-bbbbbbbbbbbbbbbb");
  std::sort(expected.begin(), expected.end());
  CHECK(entries(place) == expected);
  CHECK(place.read("canary") == "untouched");
}

TEST_CASE("reading tells missing, unusable and unknown apart, and waits for nobody") {
  TemporaryDirectory place;
  place.write("file", "content");
  place.write("big", std::string(11, 'x'));
  fs::create_symlink("file", place / "link");
  REQUIRE(::mkfifo((place / "fifo").c_str(), 0600) == 0);
  fs::create_directory(place / "folder");
  const Directory folder = open(place);
  CHECK(read_small_file(folder, "file", 10).value() == "content");
  CHECK(read_small_file(folder, "file", 7).value() == "content");
  struct Row {
    std::string name;
    ErrorCode code;
  };
  for (const Row& row :
       {Row{"absent", ErrorCode::not_found}, Row{"big", ErrorCode::invalid}, Row{"link", ErrorCode::invalid},
        Row{"fifo", ErrorCode::invalid}, Row{"folder", ErrorCode::invalid}}) {
    CAPTURE(row.name);
    const auto result = read_small_file(folder, row.name, 10);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == row.code);
  }
  CHECK(read_small_file(place / "link", 10).value() == "content");
  CHECK(read_small_file(place / "absent", 10).error().code == ErrorCode::not_found);
  CHECK(read_small_file(place / "folder", 10).error().code == ErrorCode::invalid);
}

TEST_CASE("folders are made with their exact mode and never entered through a link") {
  TemporaryDirectory place;
  const mode_t before = ::umask(0077);
  const auto made = Directory::open_or_make(place / "a/b/", 0711);
  REQUIRE(made);
  CHECK(mode_of(place / "a") == 0711);
  CHECK(mode_of(place / "a/b") == 0711);
  REQUIRE(made->folder_or_make("c", 0711));
  CHECK(mode_of(place / "a/b/c") == 0711);
  ::umask(before);
  fs::create_directory_symlink(place / "a", place / "a/b/link");
  place.write("a/b/file", "");
  CHECK(made->folder("absent").error().code == ErrorCode::not_found);
  for (const char* name : {"link", "file"}) {
    CHECK(made->folder(name).error().code == ErrorCode::io);
    CHECK(made->folder_or_make(name, 0711).error().code == ErrorCode::io);
  }
  CHECK(Directory::open(place / "a/b/link"));  // the path of the whole is its owner's business
  CHECK_FALSE(Directory::open_or_make("", 0711));
  CHECK_FALSE(Directory::open_or_make(place / "a/b/file/x", 0711));
}

}  // namespace graft
