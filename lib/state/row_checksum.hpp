// The checksum that every row carries (schema.hpp).
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <string>

#include "base/hash.hpp"

namespace graft::state {

// Of a row's values, each ended by a character that no name may hold.
template <class... Values>
std::int64_t checksum(const Values&... values) {
  std::string joined;
  (joined.append(fmt::format("{}\x1f", values)), ...);
  return crc32_ieee(joined);
}

}  // namespace graft::state
