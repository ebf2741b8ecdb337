// Organization: what a manifest says of one. Its name is its identity; everything in it is a resource of its own,
// written alone or nested here (manifest/expand.hpp).
//
// Canonical: {"name":"apiorg"}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct OrganizationSpec {
  std::string name;
};

[[nodiscard]] const manifest::Decoder& organization_decoder();
[[nodiscard]] std::string canonical(const OrganizationSpec& spec);
[[nodiscard]] Result<OrganizationSpec> organization_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
