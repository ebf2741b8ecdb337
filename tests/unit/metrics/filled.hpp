// Metrics in which everything that can happen has happened: the most series that there can be.
#pragma once

#include <cstddef>

#include "metrics/metrics.hpp"

namespace graft::test {

inline constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'800'000'000}};

void fill(metrics::Metrics& metrics, std::size_t organizations, std::size_t tokens_each);
[[nodiscard]] std::size_t series_in(const std::string& exposition);  // lines that are no comments

}  // namespace graft::test
