#include "base/position.hpp"

#include <fmt/format.h>

namespace graft {

std::string Position::to_string() const {
  if (!file) return {};
  if (line == 0) return *file;
  if (column == 0) return fmt::format("{}:{}", *file, line);
  return fmt::format("{}:{}:{}", *file, line, column);
}

}  // namespace graft
