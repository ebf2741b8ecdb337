// Text helpers that have nothing to do with Grafana: numbers, escapes, letter case, base64, hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft::simulator {

std::optional<std::int64_t> to_integer(std::string_view text);  // the whole text, an optional sign included
std::string trim(std::string_view text);
std::string percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);  // everything but letters, digits and -_.~

std::vector<char32_t> decode_utf8(std::string_view text);  // a bad byte becomes U+FFFD
std::string encode_utf8(char32_t code);
std::string lower_case(std::string_view text);  // Latin, Greek and Cyrillic letters
std::string ascii_lower(std::string_view text);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);  // ASCII case only
bool contains_ignoring_case(std::string_view text, std::string_view part);       // ASCII case only

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
std::string sha256(std::string_view bytes);     // 32 bytes
std::string sha1_hex(std::string_view bytes);   // 40 letters
std::uint32_t crc32(std::string_view bytes);    // IEEE
std::string random_letters(std::size_t count);  // letters and digits
std::string random_digits(std::size_t count);
std::string random_uuid();

}  // namespace graft::simulator
