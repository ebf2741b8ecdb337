#include "base/text.hpp"

#include <array>
#include <doctest/doctest.h>
#include <string>

namespace graft {

namespace {
using namespace std::string_literals;
}  // namespace

TEST_CASE("broken UTF-8 is found at its first byte") {
  struct Row {
    std::string text;
    std::optional<std::size_t> at;
  };
  const std::array rows{
      Row{"", {}},
      Row{"plain", {}},
      Row{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", {}},
      Row{"\0 is sound"s, {}},
      Row{"a\xff", 1},
      Row{"ab\x80", 2},
      Row{"\xc3", 0},              // cut
      Row{"x\xe2\x82", 1},         // cut
      Row{"\xc0\xaf", 0},          // overlong
      Row{"\xe0\x80\xaf", 0},      // overlong
      Row{"\xf0\x80\x80\xaf", 0},  // overlong
      Row{"\xed\xa0\x80", 0},      // surrogate
      Row{"\xf4\x90\x80\x80", 0},  // beyond U+10FFFF
      Row{"\xf5\x80\x80\x80", 0},
      Row{"\xc3(", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(invalid_utf8(row.text) == row.at);
  }
}

TEST_CASE("what is shown to a person is one line of sound text") {
  struct Row {
    std::string text, shown;
  };
  for (const Row& row :
       {Row{"plain", "plain"}, Row{"a\r\nb\tc", "a  b c"}, Row{"\x1b[31mred\x07", "?[31mred?"}, Row{"\xff\xc3", "??"},
        Row{"gr\xc3\xbcn", "gr\xc3\xbcn"}, Row{"a\0b"s, "a?b"}, Row{"\x7f", "?"}})
    CHECK(printable(row.text) == row.shown);
  CHECK(printable("0123456789", 4) == "0123...");
  CHECK(printable("0123", 4) == "0123");
  CHECK(printable("012\xc3\xbc", 4) == "012\xc3\xbc");  // a character is never cut
  CHECK(quote("say \"a\\b\"\n") == R"("say \"a\\b\" ")");
  CHECK(has_control_characters("a\nb"));
  CHECK(has_control_characters("\x7f"));
  CHECK_FALSE(has_control_characters("\xc3\xbc b"));
}

TEST_CASE("blanks are trimmed at both ends only") {
  CHECK(trim(" \t\r\na b\n") == "a b");
  CHECK(trim(" \n ").empty());
  CHECK(trim("").empty());
  CHECK(trim("a") == "a");
}

TEST_CASE("lower case is by code point and leaves broken text alone") {
  CHECK(to_lower("Test-TOKEN_1") == "test-token_1");
  CHECK(to_lower("\xc3\x84\xc3\x96 \xce\xa3") == "\xc3\xa4\xc3\xb6 \xcf\x83");
  CHECK(to_lower("\xff"
                 "A") ==
        "\xff"
        "a");
  CHECK(equal_ignoring_ascii_case("Content-Type", "content-TYPE"));
  CHECK_FALSE(equal_ignoring_ascii_case("a", "ab"));
}

TEST_CASE("a slip of the hand is recognised, another word is not") {
  constexpr std::array<std::string_view, 4> known{"name", "organization", "title", "uid"};
  CHECK(did_you_mean("nmae", known) == "name");
  CHECK(did_you_mean("organisation", known) == "organization");
  CHECK(did_you_mean("TITLE", known) == "title");
  CHECK_FALSE(did_you_mean("dashboards", known));
  CHECK_FALSE(did_you_mean("", known));
}

TEST_CASE("what is percent-encoded is one segment of a path or one value of a query") {
  CHECK(url_encode("aZ09-_.~") == "aZ09-_.~");
  CHECK(url_encode("a b/c?d&e=f#g%+") == "a%20b%2Fc%3Fd%26e%3Df%23g%25%2B");
  CHECK(url_encode("\xc3\xbc\r\n") == "%C3%BC%0D%0A");
}

}  // namespace graft
