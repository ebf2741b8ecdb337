// Who wrote which field of a Kubernetes-style object (metadata.managedFields) and how an update moves the ownership.
// Only the "Update" operation: server-side apply fails in Grafana.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "clock.hpp"
#include "json.hpp"

namespace graft::simulator {

using FieldPath = std::vector<std::string>;
using FieldSet = std::set<FieldPath>;

struct ManagedFields {
  std::string manager;
  std::string api_version;
  Time time;
  FieldSet fields;
};

struct Writer {
  std::string manager;      // "grafana" for the legacy API, else from the request
  std::string api_version;  // "dashboard.grafana.app/v0alpha1"
};

// The owners after `writer` replaced `before` by `after`; both hold "metadata" (annotations, labels, generateName) and
// "spec". A time moves only for an owner whose fields changed.
std::vector<ManagedFields> updated_owners(const std::vector<ManagedFields>& owners, const Json& before,
                                          const Json& after, const Writer& writer, Time now);

bool same_fields(const std::vector<ManagedFields>& left, const std::vector<ManagedFields>& right);
Json to_json(const std::vector<ManagedFields>& owners);

}  // namespace graft::simulator
