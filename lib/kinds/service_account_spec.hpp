// ServiceAccount: what a manifest says of one. Grafana derives its login from the name and finds collisions only by
// that; account_slug() is the part of the login that the name decides.
//
// Canonical: {"disabled":false,"name":"test","role":"Admin"}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "grafana/account_login.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct ServiceAccountSpec {
  std::string name;
  std::string role;  // None, Viewer, Editor, Admin
  bool disabled = false;
};

using grafana::account_slug;

[[nodiscard]] const manifest::Decoder& service_account_decoder();
[[nodiscard]] std::string canonical(const ServiceAccountSpec& spec);
[[nodiscard]] Result<ServiceAccountSpec> service_account_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
