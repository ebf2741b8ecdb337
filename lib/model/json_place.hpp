// Where a JSON parser is in its text. nlohmann's events carry no place, so the parser is fed through an iterator that
// notes how far it has read. For the two readers of JSON (canonical_json.cpp, manifest/json_reader.cpp) only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "base/position.hpp"

namespace graft {

class TrackedChar {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  // `furthest` is moved along by every copy of the iterator; it must outlive them.
  TrackedChar(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  TrackedChar& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedChar& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// Line and column (in bytes, from 1) of the byte at `offset`; no file.
[[nodiscard]] inline Position place_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_end = before.rfind('\n');
  Position position;
  position.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  position.column = static_cast<std::uint32_t>(before.size() - (line_end == before.npos ? 0 : line_end + 1) + 1);
  return position;
}

}  // namespace graft
