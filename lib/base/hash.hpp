// Digests and check codes, by OpenSSL. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace graft {

[[nodiscard]] std::string sha256_hex(std::string_view data);                             // 64 characters
[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view data);  // 64 characters
[[nodiscard]] std::uint32_t crc32_ieee(std::string_view data);
[[nodiscard]] std::string random_hex(std::size_t bytes);  // from the operating system; for salts
// The first `characters` of the SHA-256 of `data` in Crockford's base 32, lower case; at most 52.
[[nodiscard]] std::string sha256_base32(std::string_view data, std::size_t characters);
[[nodiscard]] std::string base64(std::string_view data);
// The bytes of a text in base64 (RFC 4648, section 4). Strict: nothing for a text with line ends or blanks, without its
// padding, or with bits in the last character that belong to no byte. The result is in one piece of memory, to be
// wiped.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace graft
