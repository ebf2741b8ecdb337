// Folder: what a manifest says of one. Its uid is its identity; `parent` is the uid of another declared folder of the
// same organization. Rings, missing parents and a nesting that Grafana answers with 500 are found before anything is
// sent.
//
// Canonical: {"parent":"","title":"Operations"}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

inline constexpr std::size_t folder_levels = 5;  // Grafana 12.4 refuses the sixth with 500

struct FolderSpec {
  std::string title;   // trimmed, as Grafana stores it
  std::string parent;  // uid; empty: at the root
};

[[nodiscard]] const manifest::Decoder& folder_decoder();
[[nodiscard]] std::string canonical(const FolderSpec& spec);
[[nodiscard]] Result<FolderSpec> folder_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
