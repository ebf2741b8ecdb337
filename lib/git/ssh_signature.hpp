// Signatures that git makes with SSH keys (gpg.format=ssh), verified against an allowed signers file, as
// `ssh-keygen -Y verify` does but without starting it. Pure: text and bytes in, an answer out; any thread.
//
// The formats are OpenSSH's: ALLOWED SIGNERS of ssh-keygen(1), and PROTOCOL.sshsig of its source. Understood are the
// keys ssh-ed25519, ecdsa-sha2-nistp256/384/521, ssh-rsa (2048 to 16384 bits, with SHA-2 signatures only) and both
// kinds of security keys, sk-ssh-ed25519 and sk-ecdsa-sha2-nistp256. Not understood, and refused by name: certificates,
// DSA, signatures of WebAuthn, and anything of PGP or X.509. As with ssh-keygen, a security key need not have been
// touched.
//
// Signatures come from whoever can push: nothing in one is trusted before its key was found in the file, byte for byte.
// What OpenSSH reads but never writes (a number with needless zeros, text around the armor, a reserved field that is
// used) is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/position.hpp"
#include "base/result.hpp"

namespace graft::git {

inline constexpr std::size_t ssh_signature_limit = 64UL * 1024;      // bytes, with its armor
inline constexpr std::size_t allowed_signers_limit = 1024UL * 1024;  // bytes

// A line of the file.
struct AllowedSigner {
  std::string principals;                 // as written: one or more patterns, with commas between
  std::optional<std::string> namespaces;  // patterns as well; none: any
  std::optional<WallTime> valid_after;    // both ends belong to the time
  std::optional<WallTime> valid_before;   //
  std::string key;                        // in SSH's binary form; known to be sound
  Position where;
};

class AllowedSigners {
 public:
  // ErrorCode::invalid, or unsupported, for the first line that is wrong, with its number and those of the others; one
  // wrong line refuses the whole file, and so does a file that names nobody. Times without a Z are taken as ssh-keygen
  // takes them: in the zone of this process (TZ), without summer time.
  [[nodiscard]] static Result<AllowedSigners> parse(std::string_view text, std::string_view file_name);

  [[nodiscard]] const std::vector<AllowedSigner>& lines() const { return lines_; }  // in the file's order; never empty

 private:
  explicit AllowedSigners(std::vector<AllowedSigner> lines) : lines_(std::move(lines)) {}
  std::vector<AllowedSigner> lines_;
};

// Who signed: the principals of the first line with the key, the namespace and the time.
//
// `armored` is the text from "-----BEGIN SSH SIGNATURE-----" on (the header gpgsig of a commit, without the blanks that
// continue it), `payload` what was signed (the commit without that header), `wanted_namespace` is "git" for git, and
// `at` the time at which the key must have been valid: git takes the committer's, which is what the signer claims; a
// key that was stolen is therefore taken out of the file, not left to expire. Errors: not_found when there is no
// signature; unsupported for one of another kind (PGP, certificates, algorithms that are not understood); forbidden
// when the signature is right, but its key may not sign this at this time, and when the key is not in the file (its
// fingerprint is named as `ssh-keygen -l` prints it); invalid for everything else: damaged, of another namespace, or
// not made by that key over that payload.
[[nodiscard]] Result<std::string> verify_ssh_signature(std::string_view armored, std::string_view payload,
                                                       std::string_view wanted_namespace, const AllowedSigners& signers,
                                                       WallTime at);

}  // namespace graft::git
