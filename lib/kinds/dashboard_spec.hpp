// Dashboard: what a manifest says of one: its folder, and a model that stands in the manifest, in a JSON file or, with
// many others, in a directory. How the several shapes that Grafana gives out become one model is in
// dashboard_model.hpp.
//
// Canonical: {"folder":"ops","spec":{…}}; the spec is the model without id, uid and version, its title trimmed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct DashboardSpec {
  std::string folder;  // uid; empty: at the root
  std::string spec;    // canonical JSON text of the model
};

[[nodiscard]] const manifest::Decoder& dashboard_decoder();
[[nodiscard]] std::string canonical(const DashboardSpec& spec);
[[nodiscard]] Result<DashboardSpec> dashboard_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
