#include "admin/token_file.hpp"

#include <openssl/crypto.h>

#include "base/atomic_file.hpp"
#include "base/hash.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

constexpr std::size_t size_limit = 4096;

Result<Secret> read_token(const std::string& path) {
  auto content = read_small_file(path, size_limit);
  if (!content) return fail(std::move(content.error()));
  Secret whole(std::move(*content));
  std::string_view token = whole.reveal();
  if (token.ends_with('\n')) token.remove_suffix(1);
  if (token.ends_with('\r')) token.remove_suffix(1);
  if (token.empty()) return fail(ErrorCode::invalid, "the token file is empty");
  return Secret(std::string(token));
}

}  // namespace

Result<bool> bears_token(std::string_view authorization, const std::string& token_file) {
  const auto token = read_token(token_file);
  if (!token) return fail(token.error());
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_ignoring_ascii_case(authorization.substr(0, scheme.size()), scheme)) return false;
  // Digests have one length: the time tells nothing of the token's.
  const std::string given = sha256_hex(authorization.substr(scheme.size())), right = sha256_hex(token->reveal());
  return CRYPTO_memcmp(given.data(), right.data(), right.size()) == 0;
}

}  // namespace graft::admin
