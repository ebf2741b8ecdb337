// The manual pages in mdoc(7), from the tables: docs/man/graftd.8, graftd.yaml.5, graftd-manifest.5 and
// graftd-metrics.7. A test fails when the files are not these texts. What the tables do not know is handed in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::daemon {

[[nodiscard]] std::string manual_of_program();        // graftd(8)
[[nodiscard]] std::string manual_of_configuration();  // graftd.yaml(5)
// graftd-manifest(5); `example` is a whole manifest, with comments.
[[nodiscard]] std::string manual_of_manifests(std::string_view example);
// graftd-metrics(7); `rules` are the alerting rules for Prometheus, as YAML. ErrorCode::invalid when they are none.
[[nodiscard]] Result<std::string> manual_of_metrics(std::string_view rules);

// The configuration that graftd.yaml(5) shows.
[[nodiscard]] std::string_view example_configuration();

}  // namespace graft::daemon
