#include "git/ssh_key.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdexcept>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "git/ssh_wire.hpp"

namespace graft::git {

namespace {

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using EcdsaValue = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Releaser<OSSL_PARAM_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, Releaser<OSSL_PARAM_BLD_free>>;

Number number_of(std::string_view magnitude) {
  return Number(BN_bin2bn(bytes_of(magnitude), static_cast<int>(magnitude.size()), nullptr));
}

// Null when OpenSSL refuses it: a point that is not on the curve, for one.
KeyPtr key_from(const char* kind, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (params && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  ERR_clear_error();
  return KeyPtr(key);
}

KeyPtr rsa_key(std::string_view exponent, std::string_view modulus) {
  const Number e = number_of(exponent), n = number_of(modulus);
  const ParamsBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  return key_from("RSA", builder.get());
}

KeyPtr ecdsa_key(const char* group, std::string_view point) {
  const ParamsBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return key_from("EC", builder.get());
}

KeyPtr ed25519_key(std::string_view point) {
  KeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(point), point.size()));
  ERR_clear_error();
  return key;
}

constexpr std::array<KeyType, 7> key_types{{
    {"ssh-ed25519", Family::ed25519, false, "", "", 32, nullptr},
    {"ecdsa-sha2-nistp256", Family::ecdsa, false, "nistp256", "P-256", 32, EVP_sha256},
    {"ecdsa-sha2-nistp384", Family::ecdsa, false, "nistp384", "P-384", 48, EVP_sha384},
    {"ecdsa-sha2-nistp521", Family::ecdsa, false, "nistp521", "P-521", 66, EVP_sha512},
    {"ssh-rsa", Family::rsa, false, "", "", 0, nullptr},
    {"sk-ssh-ed25519@openssh.com", Family::ed25519, true, "", "", 32, nullptr},
    {"sk-ecdsa-sha2-nistp256@openssh.com", Family::ecdsa, true, "nistp256", "P-256", 32, EVP_sha256},
}};

constexpr std::size_t smallest_rsa = 2048,
                      largest_rsa = 16384;  // bits; larger ones take seconds

std::size_t bits_of(std::string_view magnitude) {
  if (magnitude.empty()) return 0;
  return (magnitude.size() - 1) * 8 +
         static_cast<std::size_t>(std::bit_width(static_cast<unsigned char>(magnitude[0])));
}

Status read_rsa(Reader& reader, PublicKey& key) {
  const std::string_view exponent = reader.big_number(), modulus = reader.big_number();
  if (!reader.finished()) return {};
  const std::size_t bits = bits_of(modulus);
  if (bits < smallest_rsa || bits > largest_rsa) {
    return fail(ErrorCode::unsupported,
                fmt::format("the RSA key has {} bits: {} to {} are accepted", bits, smallest_rsa, largest_rsa));
  }
  const bool odd = (static_cast<unsigned char>(exponent.back()) & 1U) != 0;
  if (odd && bits_of(exponent) > 1 && exponent.size() <= 8) key.key = rsa_key(exponent, modulus);
  key.rsa_size = modulus.size();
  return {};
}

void read_point(Reader& reader, PublicKey& key) {
  const KeyType& type = *key.type;
  const bool right_curve = type.family == Family::ed25519 || reader.string() == type.curve;
  const std::string_view point = reader.string();
  if (type.security_key) key.application = reader.string();
  if (!reader.finished() || !right_curve) return;
  if (type.family == Family::ed25519) {
    if (point.size() == type.coordinate) key.key = ed25519_key(point);
  } else if (point.size() == 1 + 2 * type.coordinate && point[0] == '\x04') {  // not compressed: SSH knows no other
    key.key = ecdsa_key(type.group, point);
  }
}

}  // namespace

std::string hash(Digest algorithm, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  if (EVP_Digest(data.data(), data.size(), to, &size, algorithm(), nullptr) != 1)
    throw std::runtime_error("SHA-2 is not available from OpenSSL");
  out.resize(size);
  return out;
}

bool made_by(EVP_PKEY* key, Digest digest, std::string_view value, std::string_view data) {
  const DigestContext context(EVP_MD_CTX_new());
  const bool right =
      EVP_DigestVerifyInit(context.get(), nullptr, digest == nullptr ? nullptr : digest(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(value), value.size(), bytes_of(data), data.size()) == 1;
  ERR_clear_error();
  return right;
}

const KeyType* key_type(std::string_view name) {
  const auto* const found = std::ranges::find(key_types, name, &KeyType::name);
  return found == key_types.end() ? nullptr : found;
}

Error unsupported_key(std::string_view name) {
  if (name.ends_with("-cert-v01@openssh.com")) {
    return Error(ErrorCode::unsupported,
                 fmt::format("{} is a certificate: certificates are not supported", quote(name)))
        .with_hint("list the signer's own key");
  }
  return Error(ErrorCode::unsupported, fmt::format("keys of type {} are not supported", quote(name)))
      .with_hint(
          "use ssh-ed25519, ecdsa-sha2-nistp256/384/521, ssh-rsa of "
          "2048 bits or more, or a security key");
}

Result<PublicKey> read_public_key(std::string_view blob) {
  Reader reader(blob);
  const std::string_view name = reader.string();
  PublicKey key;
  key.type = key_type(name);
  if (key.type == nullptr) return fail(unsupported_key(name));
  if (key.type->family != Family::rsa) {
    read_point(reader, key);
  } else if (const Status read = read_rsa(reader, key); !read) {
    return fail(read.error());
  }
  if (!key.key) return fail(ErrorCode::invalid, fmt::format("the key is not a sound {} key", name));
  return key;
}

std::string fingerprint(std::string_view key) {
  std::string text = base64(hash(EVP_sha256, key));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

std::string asn1_of(std::string_view value) {
  Reader reader(value);
  const std::string_view r = reader.big_number(), s = reader.big_number();
  if (!reader.finished()) return {};
  const EcdsaValue numbers(ECDSA_SIG_new());
  ECDSA_SIG_set0(numbers.get(), number_of(r).release(), number_of(s).release());
  std::string out(static_cast<std::size_t>(i2d_ECDSA_SIG(numbers.get(), nullptr)), '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  i2d_ECDSA_SIG(numbers.get(), &to);
  return out;
}

}  // namespace graft::git
