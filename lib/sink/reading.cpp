#include "sink/reading.hpp"

#include <fmt/format.h>

#include "base/hash.hpp"

namespace graft::sink {

namespace {

constexpr std::string_view prefix = "glsa_";
constexpr std::size_t random_part = 32;
constexpr std::size_t checksum_part = 8;
constexpr std::size_t checksum_at = prefix.size() + random_part + 1;
constexpr std::size_t key_size = checksum_at + checksum_part;
constexpr std::size_t fingerprint_size = 16;

// The number's bytes from the lowest to the highest, in hex.
std::string checksum_of(std::string_view text) {
  const std::uint32_t crc = crc32_ieee(text);
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", crc & 0xffU, (crc >> 8U) & 0xffU, (crc >> 16U) & 0xffU, crc >> 24U);
}

}  // namespace

std::string fingerprint(std::string_view salt, const Secret& key) {
  return hmac_sha256_hex(salt, key.reveal()).substr(0, fingerprint_size);
}

std::optional<std::string> malformed_key(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (!text.starts_with(prefix)) return "it does not begin with glsa_";
  if (text.size() != key_size) {
    const std::string_view tail = text.find_first_of("\r\n") == key_size ? ", a line end after the key" : "";
    return fmt::format("{} bytes instead of {}{}", text.size(), key_size, tail);
  }
  if (text[checksum_at - 1] != '_') return "it has no _ before its checksum";
  if (text.substr(checksum_at) != checksum_of(text.substr(0, checksum_at - 1))) return "its checksum does not match";
  return std::nullopt;
}

}  // namespace graft::sink
