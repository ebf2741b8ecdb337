// A double of HashiCorp Vault, as far as a delivery needs it: KV engines of version 2 (and 1, to be told apart), rights
// by token, login by a Kubernetes service account (the sources of its behaviour are named in lib/sink/vault_sink.hpp).
// Not recorded from a Vault.
//
// Knows: versions that are deleted or destroyed, cas, the two kinds of 404, 400 for a cas that does not match, 403, a
// path without an engine, sys/capabilities-self, sys/internal/ui/mounts, sealed, namespaces by header.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "doubles/double_server.hpp"

namespace graft::doubles {

class VaultServer final : public DoubleServer {
 public:
  VaultServer();  // an engine of version 2 at "secret"; no token is known yet
  ~VaultServer() override;

  void mount(const std::string& path, int version);
  void unmount(const std::string& path);
  void seal(bool sealed = true);
  void require_namespace(const std::string& name);
  // A token with these rights on all secrets: "create", "read", "update"; or "root".
  void add_token(const std::string& token, std::set<std::string> rights = {"create", "read", "update"});
  void revoke(const std::string& token);
  void revoke_all();
  // The role of the auth method `kubernetes`; its tokens have these rights and this lease.
  void allow_login(const std::string& role, const std::string& jwt, int lease_seconds = 3600,
                   std::set<std::string> rights = {"create", "read", "update"});
  [[nodiscard]] int logins() const;

  // The current version; nothing when it is deleted or there is none.
  [[nodiscard]] std::optional<std::string> field(const std::string& mount, const std::string& path,
                                                 const std::string& field) const;
  [[nodiscard]] std::string fields(const std::string& mount,
                                   const std::string& path) const;                     // as JSON; "" when missing
  [[nodiscard]] int version(const std::string& mount, const std::string& path) const;  // 0: never written

  // As another writer does it, each a new version: one field beside the others, or all of them as JSON.
  void set_field(const std::string& mount, const std::string& path, const std::string& field, const std::string& value);
  void set_fields(const std::string& mount, const std::string& path, const std::string& json);
  void remove_field(const std::string& mount, const std::string& path, const std::string& field);
  void delete_current(const std::string& mount, const std::string& path);
  void destroy_current(const std::string& mount, const std::string& path);

 private:
  Reply answer(const Request& request) override;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace graft::doubles
