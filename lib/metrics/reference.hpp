// docs/metrics.md, from the table. A test fails when the file is not this text.
#pragma once

#include <string>

namespace graft::metrics {

[[nodiscard]] std::string metrics_reference();

}  // namespace graft::metrics
