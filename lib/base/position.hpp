// Where something stands in a text that a person wrote: file, line and column, both counted from 1.
//
// The file name is shared between all positions of one file, since ten thousand resources keep one each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace graft {

struct Position {
  std::shared_ptr<const std::string> file;  // as the user would name it; null: no place known
  std::uint32_t line = 0;                   // 0: the file as a whole
  std::uint32_t column = 0;

  // "apiorg.yaml:3:7", "apiorg.yaml", or "" when no file is known.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool known() const { return file != nullptr; }
};

}  // namespace graft
