#include "base/diagnostics.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <tuple>
#include <utility>

namespace graft {

namespace {

std::string_view file_of(const Diagnostic& d) { return d.at.file ? std::string_view(*d.at.file) : std::string_view(); }

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

std::string Diagnostic::to_string() const {
  const std::string place = at.known() ? at.to_string() + ": " : std::string();
  const std::string tail = hint.empty() ? std::string() : fmt::format(" ({})", hint);
  return fmt::format("{}{}: {}{}", place, graft::to_string(severity), message, tail);
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) ++errors_;
  items_.push_back(std::move(diagnostic));
}

void Diagnostics::error(const Position& at, std::string message, std::string hint) {
  add({Severity::error, at, std::move(message), std::move(hint)});
}

void Diagnostics::warning(const Position& at, std::string message, std::string hint) {
  add({Severity::warning, at, std::move(message), std::move(hint)});
}

void Diagnostics::note(const Position& at, std::string message, std::string hint) {
  add({Severity::note, at, std::move(message), std::move(hint)});
}

void Diagnostics::sort() {
  std::stable_sort(items_.begin(), items_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(file_of(a), a.at.line, a.at.column) < std::tuple(file_of(b), b.at.line, b.at.column);
  });
}

void Diagnostics::append(Diagnostics other) {
  for (Diagnostic& item : other.items_) add(std::move(item));
}

}  // namespace graft
