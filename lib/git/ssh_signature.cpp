#include "git/ssh_signature.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "git/ssh_key.hpp"
#include "git/ssh_pattern.hpp"
#include "git/ssh_wire.hpp"

namespace graft::git {

namespace {

Error wrong(std::string message) { return Error(ErrorCode::invalid, std::move(message)); }

constexpr std::string_view magic = "SSHSIG";

struct Signature {  // views into the bytes without their armor
  std::string_view key, name_space, hash, algorithm, value;
  std::string_view device;  // a security key's flags (one byte) and counter (four)
};

// Strict: each text stands for one signature only, and each signature is
// written in one way.
Result<std::string> without_armor(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN SSH SIGNATURE-----\n", end = "\n-----END SSH SIGNATURE-----";
  if (trim(text).empty()) return fail(ErrorCode::not_found, "there is no signature");
  if (text.size() > ssh_signature_limit)
    return fail(wrong(fmt::format("the signature is larger than {} KiB", ssh_signature_limit / 1024)));
  if (text.starts_with("-----BEGIN PGP ") || text.starts_with("-----BEGIN SIGNED MESSAGE-----")) {
    return fail(Error(ErrorCode::unsupported, fmt::format("the signature is one of {}: only those of SSH keys "
                                                          "are verified",
                                                          text.starts_with("-----BEGIN PGP ") ? "PGP" : "X.509"))
                    .with_hint("sign with git's setting gpg.format=ssh"));
  }
  const std::size_t size = text.starts_with(begin) ? text.find(end) : std::string_view::npos;
  if (size == std::string_view::npos || size < begin.size())
    return fail(
        wrong("the signature does not stand between the lines BEGIN "
              "and END SSH SIGNATURE"));
  if (text.find_first_not_of('\n', size + end.size()) != std::string_view::npos)
    return fail(wrong("text follows the signature"));
  std::string body(text.substr(begin.size(), size - begin.size()));
  std::erase(body, '\n');
  auto blob = base64_decode(body);
  if (!blob) return fail(wrong("the signature is not sound base64"));
  return std::move(*blob);
}

Result<Signature> read_signature(std::string_view blob) {
  Reader reader(blob);
  if (reader.bytes(magic.size()) != magic) return fail(wrong("the signature is not one of SSH"));
  if (const std::uint32_t version = reader.number(); version != 1)
    return fail(ErrorCode::unsupported, fmt::format("the signature is of version {}: only 1 is known", version));
  Signature signature;
  signature.key = reader.string();
  signature.name_space = reader.string();
  const bool reserved = !reader.string().empty();
  signature.hash = reader.string();
  Reader value(reader.string());
  signature.algorithm = value.string();
  signature.value = value.string();
  if (const KeyType* type = key_type(Reader(signature.key).string()); type != nullptr && type->security_key)
    signature.device = value.bytes(5);
  if (signature.algorithm.starts_with("webauthn-"))
    return fail(ErrorCode::unsupported, "signatures made through WebAuthn are not supported");
  if (!reader.finished() || !value.finished()) return fail(wrong("the signature is damaged"));
  if (reserved) return fail(ErrorCode::unsupported, "the signature uses a field that is reserved");
  return signature;
}

// What the key signs is not the payload but its digest, with what it is for.
Result<std::string> signed_data(const Signature& signature, std::string_view payload) {
  const bool sha256 = signature.hash == "sha256";
  if (!sha256 && signature.hash != "sha512") {
    return fail(ErrorCode::unsupported, fmt::format("the signature is over a digest of {}: only sha256 "
                                                    "and sha512 are known",
                                                    quote(signature.hash)));
  }
  std::string data(magic);
  for (const std::string_view part : {signature.name_space, std::string_view(), signature.hash})
    data += ssh_string(part);
  return data + ssh_string(hash(sha256 ? EVP_sha256 : EVP_sha512, payload));
}

// Nothing: not one for this key. Never SHA-1, which the name "ssh-rsa" stands
// for in a signature.
std::optional<Digest> digest_of(const KeyType& type, std::string_view algorithm) {
  if (type.family == Family::rsa) {
    if (algorithm == "rsa-sha2-256") return EVP_sha256;
    if (algorithm == "rsa-sha2-512") return EVP_sha512;
    return std::nullopt;
  }
  return algorithm == type.name ? std::optional(type.digest) : std::nullopt;
}

Status check_value(const Signature& signature, std::string data) {
  const auto key = read_public_key(signature.key);
  if (!key) return fail(key.error());
  const auto digest = digest_of(*key->type, signature.algorithm);
  if (!digest) {
    return fail(ErrorCode::unsupported, fmt::format("signatures of type {} are not accepted from a key of type {}",
                                                    quote(signature.algorithm), key->type->name));
  }
  if (key->type->security_key)
    data = hash(EVP_sha256, key->application).append(signature.device) + hash(EVP_sha256, data);
  std::string value(signature.value);
  if (key->type->family == Family::ecdsa) value = asn1_of(signature.value);
  if (key->type->family == Family::rsa && value.size() < key->rsa_size)  // some agents leave leading zeros out
    value.insert(0, key->rsa_size - value.size(), '\0');
  if (!value.empty() && made_by(key->key.get(), *digest, value, data)) return {};
  return fail(
      wrong("the signature is not right: what was signed, or the "
            "signature, was changed"));
}

// Why the line does not let its key sign; nothing when it does.
std::optional<Error> refusal(const AllowedSigner& signer, std::string_view name_space, WallTime at) {
  const auto no = [&](std::string why) {
    return Error(ErrorCode::forbidden, fmt::format("the key of {} {}", quote(signer.principals), why)).at(signer.where);
  };
  if (signer.namespaces && !matches_list(name_space, *signer.namespaces))
    return no(fmt::format("may sign for {} only, not for {}", quote(*signer.namespaces), quote(name_space)));
  if (signer.valid_after && at < *signer.valid_after) {
    return no(
        fmt::format("is valid from {} on, and signed at {}", format_rfc3339(*signer.valid_after), format_rfc3339(at)));
  }
  if (signer.valid_before && at > *signer.valid_before) {
    return no(fmt::format("expired: it was valid until {}, and signed at {}", format_rfc3339(*signer.valid_before),
                          format_rfc3339(at)));
  }
  return std::nullopt;
}

Result<std::string> signer_among(const std::vector<const AllowedSigner*>& lines, std::string_view name_space,
                                 WallTime at) {
  std::optional<Error> first;
  for (const AllowedSigner* line : lines) {
    auto why = refusal(*line, name_space, at);
    if (!why) return line->principals;
    if (!first) first = std::move(why);
  }
  return fail(std::move(*first));
}

}  // namespace

Result<std::string> verify_ssh_signature(std::string_view armored, std::string_view payload,
                                         std::string_view wanted_namespace, const AllowedSigners& signers,
                                         WallTime at) {
  const auto blob = without_armor(armored);
  if (!blob) return fail(blob.error());
  const auto signature = read_signature(*blob);
  if (!signature) return fail(signature.error());
  if (signature->name_space != wanted_namespace) {
    return fail(wrong(
        fmt::format("the signature is for {}, not for {}", quote(signature->name_space), quote(wanted_namespace))));
  }
  std::vector<const AllowedSigner*> lines;
  for (const AllowedSigner& line : signers.lines())
    if (line.key == signature->key) lines.push_back(&line);
  if (lines.empty()) {
    const std::string_view type = Reader(signature->key).string();
    if (key_type(type) == nullptr) return fail(unsupported_key(type));
    return fail(Error(ErrorCode::forbidden, fmt::format("signed with a key that is not among the allowed signers: {}",
                                                        fingerprint(signature->key)))
                    .with_hint("if it may sign, add it to the file of allowed signers"));
  }
  auto data = signed_data(*signature, payload);
  if (!data) return fail(std::move(data.error()));
  if (const Status right = check_value(*signature, std::move(*data)); !right) return fail(right.error());
  return signer_among(lines, wanted_namespace, at);
}

}  // namespace graft::git
