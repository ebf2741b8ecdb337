// SSH's binary form, read and written. For ssh_key.cpp and its neighbours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace graft::git {

// Reads SSH's binary form. After the first thing that is not there, or not as
// it must be, everything reads as empty and finished() stays false: the caller
// asks once, at the end.
class Reader {
 public:
  explicit Reader(std::string_view data) : rest_(data) {}

  std::string_view bytes(std::size_t size) {
    if (size > rest_.size()) return broken();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::uint32_t number() {
    std::uint32_t value = 0;
    for (const char c : bytes(4)) value = (value << 8U) | static_cast<unsigned char>(c);
    return value;
  }

  std::string_view string() {
    const std::uint32_t size = number();
    return bytes(size);
  }

  // A number above zero of any size, most significant byte first. One form
  // only: a second spelling of the same number would be a second signature, or
  // a key that is not found.
  std::string_view big_number() {
    const std::string_view text = string();
    if (text.empty() || high_bit(text[0])) return broken();
    if (text[0] != '\0') return text;
    return text.size() > 1 && high_bit(text[1]) ? text.substr(1) : broken();
  }

  [[nodiscard]] bool finished() const { return sound_ && rest_.empty(); }

 private:
  static bool high_bit(char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }

  std::string_view broken() {
    sound_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool sound_ = true;
};

inline std::string ssh_string(std::string_view data) {
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8)
    out.push_back(static_cast<char>((data.size() >> (shift - 8)) & 0xffU));
  return out.append(data);
}

}  // namespace graft::git
