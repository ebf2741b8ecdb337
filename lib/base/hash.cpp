#include "base/hash.hpp"

#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>

#include "base/secret.hpp"

namespace graft {

namespace {

using Digest = std::array<unsigned char, 32>;

const unsigned char* bytes_of(std::string_view data) { return reinterpret_cast<const unsigned char*>(data.data()); }

std::string hex(const unsigned char* data, std::size_t size) {
  constexpr std::string_view letters = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(letters[data[i] >> 4U]);
    out.push_back(letters[data[i] & 0xfU]);
  }
  return out;
}

Digest sha256(std::string_view data) {
  Digest digest{};
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available from OpenSSL");
  return digest;
}

// The six bits of a character of base64; nothing for any other.
std::optional<unsigned> six_bits(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26U;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52U;
  if (c == '+') return 62U;
  if (c == '/') return 63U;
  return std::nullopt;
}

}  // namespace

std::string sha256_hex(std::string_view data) {
  const Digest digest = sha256(data);
  return hex(digest.data(), digest.size());
}

std::string hmac_sha256_hex(std::string_view key, std::string_view data) {
  Digest digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(), digest.data(), &size) ==
      nullptr)
    throw std::runtime_error("HMAC-SHA-256 is not available from OpenSSL");
  return hex(digest.data(), digest.size());
}

std::uint32_t crc32_ieee(std::string_view data) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ (0xedb88320U & (0U - (crc & 1U)));
  }
  return ~crc;
}

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes)) != 1)
    throw std::runtime_error("the operating system gives no random bytes");
  return hex(bytes_of(raw), bytes);
}

std::string sha256_base32(std::string_view data, std::size_t characters) {
  constexpr std::string_view letters = "0123456789abcdefghjkmnpqrstvwxyz";
  const Digest digest = sha256(data);
  std::string out;
  for (std::size_t i = 0; i < characters && i * 5 < 256; ++i) {
    const std::size_t bit = i * 5;
    const unsigned low = bit / 8 + 1 < digest.size() ? digest[bit / 8 + 1] : 0U;  // the last character ends beyond
    const unsigned pair = (static_cast<unsigned>(digest[bit / 8]) << 8U) | low;
    out.push_back(letters[(pair >> (11U - bit % 8U)) & 31U]);
  }
  return out;
}

std::string base64(std::string_view data) {
  std::string out(4 * ((data.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(data), static_cast<int>(data.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  unsigned bits = 0, held = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const auto six = six_bits(c);
    if (!six) {
      wipe(out);
      return std::nullopt;
    }
    bits = (bits << 6U) | *six;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>((bits >> held) & 0xffU));
    bits &= (1U << held) - 1U;
  }
  if (bits == 0) return out;
  wipe(out);
  return std::nullopt;
}

}  // namespace graft
