#include "git/url.hpp"

#include <array>
#include <doctest/doctest.h>
#include <string>

using namespace graft;

TEST_CASE("url: what can be fetched from over a network may be used") {
  for (const char* url : {"https://example.org/grafana.git", "http://127.0.0.1:8080/a", "ssh://git@example.org/a.git",
                          "ssh://example.org:2222/a.git", "git@example.org:team/a.git", "example.org:a.git",
                          "https://[::1]:8443/a.git"}) {
    CAPTURE(url);
    CHECK(git::check_url(url, false).has_value());
  }
}

TEST_CASE("url: nothing that starts a program, needs no server or shows a secret") {
  for (const char* url : {"ext::sh -c touch% /tmp/x",
                          "ext::sh",
                          "ext:::sh",
                          "git://example.org/a",
                          "ftp://example.org/a",
                          "/srv/git/a.git",
                          "file:///srv/git/a.git",
                          "relative/a",
                          "./a",
                          "",
                          "https://",
                          "https:///a",
                          "https://user:secret@example.org/a",
                          "https://token@example.org/a",
                          "ssh://git:secret@example.org/a",
                          "https://example.org/a\nb",
                          "https://example.org/a b",
                          "ssh://-oProxyCommand=x/a",
                          "-oProxyCommand=x:a",
                          "git@-oProxyCommand=x:a"}) {
    CAPTURE(url);
    const Status allowed = git::check_url(url, false);
    REQUIRE_FALSE(allowed.has_value());
    CHECK(allowed.error().code == ErrorCode::invalid);
    CHECK_FALSE(allowed.error().hint.empty());
    CHECK(allowed.error().describe().find("secret") == std::string::npos);
  }
}

TEST_CASE("url: a repository on this machine only when that is wanted, and then nothing else more") {
  CHECK(git::check_url("/srv/git/a.git", true).has_value());
  CHECK(git::check_url("file:///srv/git/a.git", true).has_value());
  CHECK_FALSE(git::check_url("ext::sh", true).has_value());
  CHECK_FALSE(git::check_url("git://example.org/a", true).has_value());
}

TEST_CASE("url: ssh by its two forms, and what would be read on the way") {
  CHECK(git::is_ssh("ssh://git@example.org/a"));
  CHECK(git::is_ssh("git@example.org:a"));
  CHECK_FALSE(git::is_ssh("https://example.org/a"));
  CHECK_FALSE(git::is_ssh("/a/b:c"));
  CHECK(git::is_in_the_clear("http://example.org/a"));
  CHECK(git::is_in_the_clear("http://127.example.org/a"));
  CHECK(git::is_in_the_clear("http://127.0.0.1.example.org/a"));
  CHECK_FALSE(git::is_in_the_clear("http://127.0.0.1:3000/a"));
  CHECK_FALSE(git::is_in_the_clear("http://[::1]/a"));
  CHECK_FALSE(git::is_in_the_clear("https://example.org/a"));
}
