#include "token_key.hpp"

#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::size_t body_size = 5 + 32;  // glsa_ and the secret
constexpr std::size_t key_size = body_size + 1 + 8;

// The CRC's four bytes, lowest first.
std::string checksum(std::string_view body) {
  std::string text;
  for (std::uint32_t sum = crc32(body), i = 0; i < 4; ++i, sum >>= 8U) {
    text += "0123456789abcdef"[(sum >> 4U) & 15U];
    text += "0123456789abcdef"[sum & 15U];
  }
  return text;
}

}  // namespace

std::string new_key() {
  const std::string body = "glsa_" + random_letters(32);
  return body + "_" + checksum(body);
}

bool is_well_formed_key(std::string_view key) {
  return key.size() == key_size && key.starts_with("glsa_") && key[body_size] == '_' &&
         key.substr(body_size + 1) == checksum(key.substr(0, body_size));
}

std::string hash_of_key(std::string_view key) { return sha256(key); }

}  // namespace graft::simulator
