// What this process uses, as of now. What cannot be read is nullopt (a sandbox may hide it) and has no series then.
#pragma once

#include <cstdint>
#include <optional>

namespace graft::metrics {

struct ProcessUse {
  double cpu_seconds = 0;
  std::optional<std::uint64_t> resident_bytes = {}, virtual_bytes = {}, open_files = {}, max_files = {};
};

[[nodiscard]] ProcessUse process_use();

}  // namespace graft::metrics
