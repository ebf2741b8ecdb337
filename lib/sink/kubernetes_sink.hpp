// The Kubernetes sink: the key under one data key of a Secret, its marker in an annotation of the same Secret, one for
// each data key: `graftd/marker.<key>`. Both are written by one request, so that a reader sees both or neither.
//
// put() creates the Secret when the last read() saw none, and patches it otherwise, with the resourceVersion of that
// read(): whatever anybody has written there since makes it ErrorCode::conflict, and nothing is overwritten. Other data
// keys and annotations stay as they are. probe() sends the same as a dry run, with a placeholder in the key's place:
// rights, admission, quota and namespace are checked and nothing is changed.
// Refused: an immutable Secret; a data key with something in it that has no marker of ours and is no Grafana key.
//
// Facts of Kubernetes, none of them seen on a running cluster:
// - Secrets, `data` in base64, `immutable`: kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
//   secret-v1
// - an object carries its resourceVersion, and a write with another one is answered by 409 Conflict: API conventions,
//   "Concurrency control and consistency" (git.k8s.io/community, sig-architecture/api-conventions.md); that this holds
//   for one in the body of a merge patch: kubernetes issue 63104, registry/generic/registry/store.go and
//   apiserver/pkg/endpoints/handlers/patch.go
// - errors as Status with message and reason: the same conventions, "Response Status Kind"
// - dryRun=All runs all but the storing: kubernetes.io/docs/reference/using-api/api-concepts, "Dry-run"
// - the form of an annotation's name: kubernetes.io/docs/concepts/overview/working-with-objects/annotations
// - resourceNames cannot restrict create: kubernetes.io/docs/reference/access-authn-authz/rbac, "Referring to
// resources"
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/transport.hpp"
#include "sink/sink.hpp"

namespace graft::sink {

struct KubernetesTarget {
  std::string namespace_name, name, key;  // of Kubernetes' form: checked where manifests are read
};

// How the API server is reached. The transport outlives it and its copies.
class KubernetesAccess {
 public:
  // `token_file` holds the bearer token and is read for every request (the kubelet renews it). Empty, or no such file:
  // no Authorization header, as for `kubectl proxy`.
  KubernetesAccess(http::Transport& transport, std::string token_file)
      : transport_(transport), token_file_(std::move(token_file)) {}

  // Errors: those of the transport; io or invalid when the token file is there and cannot be used.
  [[nodiscard]] asio::awaitable<Result<http::Response>> send(http::Request request) const;

 private:
  http::Transport& transport_;
  std::string token_file_;
};

[[nodiscard]] std::unique_ptr<Sink> make_kubernetes_sink(KubernetesTarget target, KubernetesAccess access);

// The annotation that holds the marker of a data key. A key that fits into no annotation's name enters by its hash.
[[nodiscard]] std::string marker_annotation(std::string_view key);

}  // namespace graft::sink
