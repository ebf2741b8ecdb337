#include "manifest/names.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>

using namespace graft;
using namespace graft::manifest;

TEST_CASE("a path stays in the tree or is refused") {
  struct Case {
    std::string_view document, relative, expected;  // expected "": refused
  };
  for (const Case& each : {
           Case{"a.yaml", "b.json", "b.json"},
           Case{"t/a.yaml", "b.json", "t/b.json"},
           Case{"t/a.yaml", "./x//b.json", "t/x/b.json"},
           Case{"t/a.yaml", "../b.json", "b.json"},
           Case{"t/u/a.yaml", "../../t/b.json", "t/b.json"},
           Case{"t/a.yaml", "x/../b.json", "t/b.json"},
           Case{"a.yaml", "..b.json", "..b.json"},
           Case{"a.yaml", "%2e%2e/b.json", "%2e%2e/b.json"},
           Case{"a.yaml", "", ""},
           Case{"a.yaml", "/etc/passwd", ""},
           Case{"a.yaml", "../b.json", ""},
           Case{"t/a.yaml", "../../b.json", ""},
           Case{"t/a.yaml", "x/../../../b.json", ""},
           Case{"a.yaml", "./../b.json", ""},
           Case{"a.yaml", "//etc/passwd", ""},
           Case{"a.yaml", "x/../../proc/self/environ", ""},
           Case{"a.yaml", "a\nb.json", ""},
           Case{"a.yaml", std::string_view("a\0b.json", 8), ""},
           Case{"a.yaml", "a\x7f.json", ""},
           Case{"a.yaml", "\xff.json", ""},
       }) {
    CAPTURE(each.relative);
    const auto path = path_in_tree(each.document, each.relative);
    CHECK(path.has_value() == !each.expected.empty());
    if (path) CHECK(*path == each.expected);
    if (!path) CHECK(path.error().code == ErrorCode::invalid);
  }
}

TEST_CASE("names are used as written, but for what would reach a header or a path as something else") {
  for (const std::string_view good :
       {"Main Org.", "Zürich/é_1.@", "a", "日本", "..%2f", "?orgId=2", "a\xc2\xa0 b", " x "}) {
    CHECK_FALSE(bad_name(good).has_value());
  }
  const std::string longest(190, 'x');
  std::string umlauts;
  for (int i = 0; i < 190; ++i) umlauts += "ü";
  CHECK_FALSE(bad_name(longest).has_value());
  CHECK_FALSE(bad_name(umlauts).has_value());
  const std::string with_nul("a\0b", 3);
  for (const std::string& bad : {std::string(), std::string("   "), std::string("a\nb"), std::string("a\r\nHost: x"),
                                 with_nul, std::string("\x7f"), std::string("\xff"), longest + "x", umlauts + "ü"}) {
    CAPTURE(bad);
    CHECK(bad_name(bad).has_value());
  }
}

TEST_CASE("uids are what Grafana takes") {
  for (const std::string_view good : {"a", "ops-db_1", "A0123456789-0123456789_0123456789-0123456"}) {
    CHECK(bad_uid(good).has_value() == (good.size() > 40));
  }
  for (const std::string_view bad :
       {"", "a b", "a.b", "a/b", "ü", "..", "a%2f", "0123456789012345678901234567890123456789x"}) {
    CAPTURE(bad);
    CHECK(bad_uid(bad).has_value());
  }
}
