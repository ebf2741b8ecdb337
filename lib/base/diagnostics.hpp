// Diagnostics: the list of everything wrong (or noteworthy) with what a person wrote. Every stage appends and goes on,
// so that all problems are seen at once. Order of output is by file and place, not by stage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.hpp"

namespace graft {

enum class Severity : std::uint8_t { note, warning, error };

[[nodiscard]] std::string_view to_string(Severity severity);

struct Diagnostic {
  Severity severity = Severity::error;
  Position at;
  std::string message;  // what is wrong, naming the resource or field
  std::string hint;     // what to write instead; may be empty

  // "apiorg.yaml:3:7: error: unknown field "rol" (did you mean "role"?)"
  [[nodiscard]] std::string to_string() const;
};

class Diagnostics {
 public:
  void add(Diagnostic diagnostic);
  void error(const Position& at, std::string message, std::string hint = {});
  void warning(const Position& at, std::string message, std::string hint = {});
  void note(const Position& at, std::string message, std::string hint = {});

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& items() const { return items_; }
  void sort();  // by file, line, column; stable
  void append(Diagnostics other);

 private:
  std::vector<Diagnostic> items_;
  std::size_t errors_ = 0;
};

}  // namespace graft
