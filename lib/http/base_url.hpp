// The URL that a person gave for a server, taken apart and checked. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::http {

struct BaseUrl {
  bool tls = false;
  std::string host;         // a name or an address, without brackets
  bool is_address = false;  // `host` is an IP address: no DNS, no SNI
  std::uint16_t port = 0;
  std::string path;       // "" or "/grafana": put before every request's target
  std::string authority;  // for the Host header: "grafana:3000", "[::1]:3000", "grafana.example"
};

// Accepts http:// and https:// with host, port and path. A user name or password, a query or a fragment is refused.
[[nodiscard]] Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace graft::http
