// Public keys of SSH, understood by OpenSSL. Brings OpenSSL's header: for .cpp
// files only.
#pragma once

#include <cstdint>
#include <memory>
#include <openssl/evp.h>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "git/releaser.hpp"

namespace graft::git {

using KeyPtr = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Digest = const EVP_MD* (*)();

enum class Family : std::uint8_t { ed25519, ecdsa, rsa };

struct KeyType {
  std::string_view name;
  Family family;
  bool security_key;  // its signatures are made by a device, which adds an
                      // application, flags and a counter
  std::string_view curve;
  const char* group;       // OpenSSL's name of the curve
  std::size_t coordinate;  // bytes
  Digest digest;           // null: the signature says which, or the key brings its own
};

struct PublicKey {
  const KeyType* type = nullptr;
  KeyPtr key;
  std::size_t rsa_size = 0;  // bytes of the modulus
  std::string_view application;
};

// The kinds of keys that are understood; null for any other.
[[nodiscard]] const KeyType* key_type(std::string_view name);
// Why keys of this kind are not.
[[nodiscard]] Error unsupported_key(std::string_view name);
// A key in SSH's binary form, which must outlive the answer. ErrorCode::invalid
// or unsupported.
[[nodiscard]] Result<PublicKey> read_public_key(std::string_view blob);
// As `ssh-keygen -l` prints it.
[[nodiscard]] std::string fingerprint(std::string_view key);

[[nodiscard]] inline const unsigned char* bytes_of(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}
[[nodiscard]] std::string hash(Digest algorithm, std::string_view data);
// SSH writes the two numbers of such a signature in its own form, OpenSSL reads
// them in ASN.1's. Empty: they are not sound.
[[nodiscard]] std::string asn1_of(std::string_view value);
// Whether the value is a signature by the key over the data; `digest` is null
// for a key that brings its own.
[[nodiscard]] bool made_by(EVP_PKEY* key, Digest digest, std::string_view value, std::string_view data);

}  // namespace graft::git
