#include "http/base_url.hpp"

#include <array>
#include <doctest/doctest.h>

namespace graft::http {

TEST_CASE("a base URL is taken apart") {
  struct Row {
    std::string text;
    bool tls;
    const char* host;
    bool is_address;
    int port;
    const char* path;
    const char* authority;
  };
  const std::array rows{
      Row{"http://grafana:3000", false, "grafana", false, 3000, "", "grafana:3000"},
      Row{"http://grafana", false, "grafana", false, 80, "", "grafana"},
      Row{"https://grafana.example/", true, "grafana.example", false, 443, "", "grafana.example"},
      Row{"https://grafana.example:8443/a/grafana//", true, "grafana.example", false, 8443, "/a/grafana",
          "grafana.example:8443"},
      Row{"HTTPS://127.0.0.1:3000/g%20f", true, "127.0.0.1", true, 3000, "/g%20f", "127.0.0.1:3000"},
      Row{"http://[::1]:3000", false, "::1", true, 3000, "", "[::1]:3000"},
      Row{"http://[2001:db8::1]", false, "2001:db8::1", true, 80, "", "[2001:db8::1]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = parse_base_url(row.text);
    REQUIRE(url);
    CHECK(url->tls == row.tls);
    CHECK(url->host == row.host);
    CHECK(url->is_address == row.is_address);
    CHECK(url->port == row.port);
    CHECK(url->path == row.path);
    CHECK(url->authority == row.authority);
  }
}

TEST_CASE("a URL that cannot serve is refused with what to write instead, and a password is never repeated") {
  struct Row {
    std::string text;
    const char* part_of_message;
  };
  const std::array rows{
      Row{"", "cannot be read"},
      Row{"grafana:3000", "neither http nor https"},
      Row{"localhost", "cannot be read"},
      Row{"ftp://grafana", "neither http nor https"},
      Row{"file:///etc/passwd", "neither http nor https"},
      Row{"http://", "names no host"},
      Row{"http:///api", "names no host"},
      Row{"http://admin:hunter2@grafana:3000", "user name or password"},
      Row{"http://admin:hunt er2@grafana:3000", "cannot be read"},
      Row{"http://admin@grafana", "user name or password"},
      Row{"http://grafana/?orgId=1", "query or a fragment"},
      Row{"http://grafana/#top", "query or a fragment"},
      Row{"http://grafana:0", "no port"},
      Row{"http://grafana:65536", "no port"},
      Row{"http://grafana:99999", "no port"},
      Row{"http://grafana:port", "no port"},
      Row{"http://gra fana", "cannot be read"},
      Row{"http://grafana\r\nX: y", "cannot be read"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = parse_base_url(row.text);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == ErrorCode::invalid);
    CHECK_FALSE(url.error().hint.empty());
    const std::string shown = url.error().describe();
    CHECK_MESSAGE(shown.find(row.part_of_message) != std::string::npos, shown);
    CHECK(shown.find("hunt") == std::string::npos);
  }
}

}  // namespace graft::http
