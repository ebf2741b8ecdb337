// The manifests of the configured directory, loaded again only when something in it has changed.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "manifest/loader.hpp"

namespace graft::daemon {

class ManifestSource {
 public:
  explicit ManifestSource(std::string directory) : directory_(std::move(directory)) {}

  // One consistent revision. The same result again as long as the directory's fingerprint stands still.
  [[nodiscard]] Result<manifest::LoadResult> load();

  // True when the directory does not look as it did at the last load. A walk of stats; no file is read.
  [[nodiscard]] bool changed() const;

 private:
  std::string directory_;
  std::string fingerprint_;
  std::optional<manifest::LoadResult> last_;
};

}  // namespace graft::daemon
