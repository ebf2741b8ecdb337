#include "source/beneath.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

using namespace graft;
namespace fs = std::filesystem;

namespace {

// 0, or why the path could not be opened.
using Open = Descriptor (*)(int, const std::string&, int);
int problem(Open open, int root, const std::string& path, int flags = O_RDONLY) {
  const Descriptor file = open(root, path, flags);
  return file.open() ? 0 : errno;
}

}  // namespace

TEST_CASE("nothing outside is opened, with the kernel's help or without") {
  std::string pattern = (fs::temp_directory_path() / "graftd-beneath-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const fs::path folder = pattern;
  fs::create_directories(folder / "root/sub");
  std::ofstream(folder / "secret") << "x";
  std::ofstream(folder / "root/sub/file") << "x";
  fs::create_symlink("../secret", folder / "root/link");
  fs::create_symlink("..", folder / "root/up");
  fs::create_symlink("sub/file", folder / "root/inside");
  REQUIRE(mkfifo((folder / "root/fifo").c_str(), 0600) == 0);
  const Descriptor root(open((folder / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(root.open());
  for (const Open each : {source::open_beneath, source::open_beneath_by_steps}) {
    CHECK(problem(each, root.get(), "sub/file") == 0);
    CHECK(problem(each, root.get(), "sub", O_RDONLY | O_DIRECTORY) == 0);
    CHECK(problem(each, root.get(), ".", O_RDONLY | O_DIRECTORY) == 0);
    CHECK(problem(each, root.get(), "fifo") == 0);  // and does not block
    CHECK(problem(each, root.get(), "missing") == ENOENT);
    for (const char* path : {"../secret", "sub/../../secret", "/etc/passwd", "link", "up/secret", "..", ""}) {
      CAPTURE(path);
      CHECK(problem(each, root.get(), path) != 0);
    }
  }
  CHECK(problem(source::open_beneath_by_steps, root.get(), "inside") == ELOOP);  // refused altogether
  fs::remove_all(folder);
}
