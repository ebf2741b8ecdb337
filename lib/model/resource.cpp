#include "model/resource.hpp"

#include <charconv>
#include <fmt/format.h>

#include "base/hash.hpp"

namespace graft {

std::string ResourceKey::to_string() const {
  if (kind == kind_organization) return fmt::format("{} {}", kind.text(), name);
  return fmt::format("{} {}/{}", kind.text(), organization, name);
}

Digest Digest::of(std::string_view canonical) {
  const std::string hex = sha256_hex(canonical);
  Digest digest;
  std::from_chars(hex.data(), hex.data() + 16, digest.high, 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, digest.low, 16);
  return digest;
}

}  // namespace graft

std::size_t std::hash<graft::ResourceKey>::operator()(const graft::ResourceKey& key) const noexcept {
  const std::hash<std::string_view> text_hash;
  return text_hash(key.name) ^ (text_hash(key.organization) * 31U) ^ (text_hash(key.kind.text()) * 131U);
}
