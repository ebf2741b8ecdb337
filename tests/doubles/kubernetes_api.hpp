// A double of the Kubernetes API, for Secrets alone: get, create and merge patch, as the API server answers them (the
// sources of its behaviour are named in lib/sink/kubernetes_sink.hpp). Not recorded from a cluster.
//
// Knows: Status objects, 409 for another resourceVersion and for a name that is taken, dryRun=All, immutable Secrets,
// 401, 403 by verb and for a quota, 404 for a Secret, a namespace and a path, 415, 422 for bad names and content.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "doubles/double_server.hpp"

namespace graft::doubles {

class KubernetesApi final : public DoubleServer {
 public:
  KubernetesApi();
  ~KubernetesApi() override;

  // Every namespace is there until it is taken away.
  void remove_namespace(const std::string& name);
  void require_token(const std::string& token);  // 401 for any other; by default none is asked for
  void forbid(const std::string& verb);          // "get", "create", "patch"
  void allow(const std::string& verb);
  void reach_quota(bool reached = true);

  // What lies there. A value is the plain text, not its base64; nothing when it is missing.
  [[nodiscard]] std::optional<std::string> data(const std::string& ns, const std::string& name,
                                                const std::string& key) const;
  [[nodiscard]] std::optional<std::string> annotation(const std::string& ns, const std::string& name,
                                                      const std::string& annotation) const;
  [[nodiscard]] std::string secret(const std::string& ns, const std::string& name) const;  // as JSON; "" when missing
  [[nodiscard]] std::string resource_version(const std::string& ns, const std::string& name) const;

  // As another writer does it: the Secret is made when it is missing, and its resourceVersion changes.
  void set_data(const std::string& ns, const std::string& name, const std::string& key, const std::string& value);
  void remove_data(const std::string& ns, const std::string& name, const std::string& key);
  void set_annotation(const std::string& ns, const std::string& name, const std::string& annotation,
                      const std::string& value);
  void set_immutable(const std::string& ns, const std::string& name);
  void remove(const std::string& ns, const std::string& name);

 private:
  Reply answer(const Request& request) override;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace graft::doubles
