// The Vault sink: the key in one field of a secret of a KV version 2 engine, its marker in the field
// `<field>_graftd` of the same version.
//
// put() writes a new version with `cas`, the version of the last read(): whatever anybody has written there since makes
// it ErrorCode::conflict, and nothing is overwritten. All other fields go into the new version as they were read, to
// the byte. probe() asks for our rights and for the engine's kind, and writes nothing. Refused: a field with something
// in it that has no marker of ours and is no Grafana key.
//
// Facts of Vault, none of them seen on a running one:
// - reading and writing, `options.cas` (0: only if there is none yet): developer.hashicorp.com/vault/api-docs/secret/
//   kv/kv-v2
// - a deleted or destroyed version is answered by 404 with data.metadata, an absent secret by 404 with `errors` empty;
//   cas is compared with the current version, deleted or not; its refusal is a 400 known by its words alone:
//   hashicorp/vault-plugin-secrets-kv, path_data.go
// - rights are by operation: create while there is no metadata of the secret, update afterwards: dataExistenceCheck,
//   the same file
// - sys/capabilities-self: developer.hashicorp.com/vault/api-docs/system/capabilities-self
// - sys/internal/ui/mounts/<mount> tells the version of a KV engine to whoever has any right below it, and answers 403
//   to all others and for a mount that is not there: the `kv` command asks it too (hashicorp/vault,
//   command/kv_helpers.go)
// - a path without an engine: 404 "no handler for route"; a sealed server: 503 "Vault is sealed": hashicorp/vault,
//   vault/request_handling.go and http/handler.go
#pragma once

#include <memory>
#include <string>

#include "sink/sink.hpp"
#include "sink/vault_access.hpp"

namespace graft::sink {

struct VaultTarget {
  std::string mount, path, field;  // plain texts, not percent-encoded; checked where manifests are read
};

// `access` outlives the sink.
[[nodiscard]] std::unique_ptr<Sink> make_vault_sink(VaultTarget target, VaultAccess& access);

}  // namespace graft::sink
