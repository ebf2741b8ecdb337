// The manual pages as mandoc sees them.
#include <doctest/doctest.h>
#include <filesystem>
#include <string>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;

namespace {

namespace fs = std::filesystem;

struct Ended {
  int code = -1;
  std::string out, err;
};

// In the folder of the pages, where mandoc finds those that a page refers to.
Ended mandoc(const std::string& form, const fs::path& page) {
  const test::TemporaryDirectory directory;
  test_support::Process process(
      {"/bin/sh", "-c", "cd \"$0\" && mandoc -T\"$1\" \"$2\"", page.parent_path(), form, page.filename()},
      directory.path().string());
  Ended ended;
  ended.code = process.wait();
  REQUIRE_MESSAGE(ended.code != 127, "mandoc is missing; it is a package of Debian");
  ended.out = process.out();
  ended.err = process.err();
  return ended;
}

// What a terminal shows: letters struck over one another are one.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\b' && !out.empty()) {
      out.pop_back();
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("mandoc finds nothing to say about any page, and shows it without marks left over") {
  int pages = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(GRAFTD_SOURCE_DIR) / "docs/man")) {
    CAPTURE(entry.path().string());
    const Ended lint = mandoc("lint", entry.path());
    CHECK(lint.code == 0);
    CHECK(lint.out + lint.err == "");
    const Ended shown = mandoc("utf8", entry.path());
    CHECK(shown.code == 0);
    const std::string text = plain(shown.out);
    CHECK(text.size() > 3000);
    for (const char* mark : {"`", "\\(", "\\e", "\n.", "<?>"}) {
      CAPTURE(std::string(mark));
      CHECK(text.find(mark) == std::string::npos);
    }
    ++pages;
  }
  CHECK(pages == 4);
}
