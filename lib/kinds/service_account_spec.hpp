// ServiceAccount: what a manifest says of one. Grafana derives its login from the name and finds collisions only by
// that; account_slug() is the part of the login that the name decides.
//
// Canonical: {"disabled":false,"name":"test","role":"Admin"}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct ServiceAccountSpec {
  std::string name;
  std::string role;  // None, Viewer, Editor, Admin
  bool disabled = false;
};

// "A b" gives "a-b": Grafana 12.4's login is "sa-<organization id>-" and this.
[[nodiscard]] std::string account_slug(std::string_view name);

[[nodiscard]] const manifest::Decoder& service_account_decoder();
[[nodiscard]] std::string canonical(const ServiceAccountSpec& spec);
[[nodiscard]] Result<ServiceAccountSpec> service_account_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
