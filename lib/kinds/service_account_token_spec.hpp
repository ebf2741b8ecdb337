// ServiceAccountToken: a token slot of a service account: how long its keys live, and where the current one is
// delivered. Only what a manifest says; the life of a token is lib/token.
//
// Canonical, durations in seconds, null where nothing is said:
//   {"account":"test","deliverTo":[{"file":{"mode":"0600","path":"apiorg/test-token"}},
//    {"kubernetesSecret":{"key":"token","name":"apiorg-token","namespace":"monitoring"}},
//    {"vault":{"field":"token","mount":"secret","path":"grafana/apiorg"}}],"grace":86400,"name":"test-token",
//    "rotateBefore":864000,"ttl":2592000}
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct FileDelivery {
  std::string path;          // below tokens.directory, checked: no "..", no segment that begins with "."
  std::string owner, group;  // names; empty: the daemon's own
  std::string mode;          // "0600"; octal, at most 0777, not writable by others
  [[nodiscard]] unsigned mode_bits() const;
};

struct KubernetesDelivery {
  std::string namespace_name, name, key;  // as Kubernetes demands them
};

struct VaultDelivery {
  std::string mount, path, field;  // not percent-encoded; no "#", no "." or ".." between slashes
};

using Delivery = std::variant<FileDelivery, KubernetesDelivery, VaultDelivery>;

// As its sink describes itself: "file apiorg/test-token", "secret monitoring/apiorg-token/token".
[[nodiscard]] std::string target_of(const Delivery& delivery);

struct ServiceAccountTokenSpec {
  std::string account, name;
  std::optional<std::chrono::seconds> ttl;            // nullopt: never expires
  std::optional<std::chrono::seconds> rotate_before;  // nullopt: not said
  std::optional<std::chrono::seconds> grace;          // nullopt: not said
  std::vector<Delivery> deliveries;                   // at least one, no target twice
};

[[nodiscard]] const manifest::Decoder& service_account_token_decoder();
[[nodiscard]] std::string canonical(const ServiceAccountTokenSpec& spec);
[[nodiscard]] Result<ServiceAccountTokenSpec> service_account_token_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
