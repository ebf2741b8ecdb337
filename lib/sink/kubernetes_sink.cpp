#include "sink/kubernetes_sink.hpp"

#include <cctype>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "model/json_fields.hpp"
#include "sink/marker.hpp"
#include "sink/remote.hpp"
#include "sink/secret_json.hpp"
#include "sink/target_names.hpp"

namespace graft::sink {

namespace {

using nlohmann::json;

constexpr std::size_t name_part_limit = 63;
constexpr std::string_view placeholder = "graftd tries out whether it may write here";

// A Status object in the words of its message; of anything else the text itself, which a person may recognise.
Said read_status(const http::Response& answer) {
  const auto document = SecretJson::parse(answer.body);
  if (!document || text_of(**document, "kind") != "Status") return {answer.body, {}};
  return {text_of(**document, "message"), text_of(**document, "reason")};
}

// What the last read() saw of the Secret.
struct Seen {
  bool exists = false;
  bool immutable = false;
  std::string resource_version;
  std::optional<std::string> foreign;  // what is wrong with the content that is not ours
};

class KubernetesSink final : public Sink {
 public:
  KubernetesSink(KubernetesTarget target, KubernetesAccess access)
      : target_(std::move(target)), access_(std::move(access)), annotation_(marker_annotation(target_.key)) {}

  std::string describe() const override { return name_of_secret(target_.namespace_name, target_.name, target_.key); }

  asio::awaitable<Status> probe() override {
    if (!seen_) {
      const auto reading = co_await read();
      if (!reading) co_return fail(reading.error());
    }
    if (auto status = may_write(); !status) co_return status;
    const Secret text{std::string(placeholder)};
    const Marker marker;
    co_return co_await write(text, marker, true);
  }

  asio::awaitable<Result<Reading>> read() override {
    seen_.reset();
    http::Request request("GET", secret_target());
    auto answer = co_await access_.send(std::move(request));
    const Doing doing = about("reading it");
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    auto reading = take_in(doing, *answer);
    wipe(answer->body);
    co_return reading;
  }

  asio::awaitable<Status> put(const Secret& key, const Marker& marker) override {
    if (!seen_) co_return fail(ErrorCode::internal, describe() + ": a put() without a read() before it");
    if (auto status = may_write(); !status) co_return status;
    co_return co_await write(key, marker, false);
  }

 private:
  Doing about(std::string_view what, std::string_view key = {}) const {
    return {describe(), what, "kubernetes.url", key};
  }

  std::string secrets_target() const {
    return fmt::format("/api/v1/namespaces/{}/secrets", url_encode(target_.namespace_name));
  }
  std::string secret_target() const { return secrets_target() + "/" + url_encode(target_.name); }

  Status may_write() const {
    if (seen_->immutable) {
      return fail(Error(ErrorCode::blocked,
                        fmt::format("{}: the Secret is immutable, no key can be delivered to it", describe()))
                      .with_hint("delete the Secret (graftd makes it anew), or deliver to another"));
    }
    if (seen_->foreign) return fail(foreign_content(describe(), *seen_->foreign));
    return {};
  }

  Result<Reading> take_in(const Doing& doing, const http::Response& answer) {
    if (answer.status == 200) return take_in_secret(doing, answer.body);
    Said said = read_status(answer);
    // Any other 404 is not the API server's word on this Secret: a wrong path, a proxy.
    if (answer.status == 404 && said.code == "NotFound") {
      seen_ = Seen{};
      return Reading{};
    }
    return fail(hinted(refusal(doing, answer, std::move(said))));
  }

  // The Secret as the API server gives it, after a GET and after a write.
  Result<Reading> take_in_secret(const Doing& doing, const std::string& body) {
    const auto document = SecretJson::parse(body);
    if (!document) return fail(not_understood(doing, "the answer is not sound JSON"));
    const json* metadata = member(**document, "metadata");
    if (text_of(**document, "kind") != "Secret" || metadata == nullptr)
      return fail(not_understood(doing, "the answer is no Secret"));
    const std::string uid = text_of(*metadata, "uid");
    Seen seen;
    seen.exists = true;
    seen.resource_version = text_of(*metadata, "resourceVersion");
    if (uid.empty() || seen.resource_version.empty())
      return fail(not_understood(doing, "the answer has no uid and resourceVersion"));
    const json* immutable = member(**document, "immutable");
    seen.immutable = immutable != nullptr && immutable->is_boolean() && immutable->get<bool>();
    Reading reading;
    if (auto status = take_in_marker(doing, *metadata, reading); !status) return fail(std::move(status.error()));
    if (auto status = take_in_data(doing, **document, reading); !status) return fail(std::move(status.error()));
    if (reading.state != KeyState::missing) reading.identity = uid + ":" + seen.resource_version;
    if (is_foreign(reading)) seen.foreign = reading.problem;
    seen_ = std::move(seen);
    return reading;
  }

  Status take_in_marker(const Doing& doing, const json& metadata, Reading& out) const {
    const json* annotations = member(metadata, "annotations");
    if (annotations == nullptr || annotations->is_null()) return {};
    if (!annotations->is_object()) return fail(not_understood(doing, "metadata.annotations is no map"));
    out.marker = read_marker(text_of(*annotations, annotation_));
    return {};
  }

  Status take_in_data(const Doing& doing, const json& document, Reading& out) const {
    const json* data = member(document, "data");
    if (data == nullptr || data->is_null()) return {};
    if (!data->is_object()) return fail(not_understood(doing, "data is no map"));
    const json* value = member(*data, target_.key);
    if (value == nullptr) return {};
    if (!value->is_string()) return fail(not_understood(doing, "the value of the data key is no text"));
    auto bytes = base64_decode(value->get_ref<const std::string&>());
    if (!bytes) return fail(not_understood(doing, "the value of the data key is not base64"));
    take_in_key(out, std::move(*bytes));
    return {};
  }

  // By hand, so that no copy of the key is left behind by a serialiser.
  std::string body_of(const Secret& key, const Marker& marker, std::string_view type, std::string_view metadata) const {
    std::string encoded = base64(key.reveal());
    const std::string value = json_quoted(marker_line(marker));
    const std::string annotation = json_quoted(annotation_), data_key = json_quoted(target_.key);
    std::string body;
    body.reserve(encoded.size() + value.size() + annotation.size() + data_key.size() + metadata.size() + 200);
    body.append(R"({"apiVersion":"v1","kind":"Secret",)").append(type).append(R"("metadata":{)").append(metadata);
    body.append(R"("annotations":{)").append(annotation).append(":").append(value);
    body.append(R"(}},"data":{)").append(data_key).append(R"(:")").append(encoded).append(R"("}})");
    wipe(encoded);
    return body;
  }

  http::Request create_request(const Secret& key, const Marker& marker) const {
    http::Request request("POST", secrets_target());
    request.headers.emplace_back("Content-Type", "application/json");
    const std::string metadata =
        fmt::format(R"("name":{},"namespace":{},"labels":{{"app.kubernetes.io/managed-by":"graftd"}},)",
                    json_quoted(target_.name), json_quoted(target_.namespace_name));
    request.body = body_of(key, marker, R"("type":"Opaque",)", metadata);
    return request;
  }

  http::Request patch_request(const Secret& key, const Marker& marker) const {
    http::Request request("PATCH", secret_target());
    request.headers.emplace_back("Content-Type", "application/merge-patch+json");
    const std::string metadata = fmt::format(R"("resourceVersion":{},)", json_quoted(seen_->resource_version));
    request.body = body_of(key, marker, {}, metadata);
    return request;
  }

  asio::awaitable<Status> write(const Secret& key, const Marker& marker, bool rehearsal) {
    const bool create = !seen_->exists;
    http::Request request = create ? create_request(key, marker) : patch_request(key, marker);
    request.idempotent = rehearsal;  // a second PATCH would meet the conflict that the first one made
    if (rehearsal) request.target += "?dryRun=All";
    auto answer = co_await access_.send(std::move(request));
    const Doing doing = about(rehearsal ? "trying out a write (a dry run)" : "writing the key", key.reveal());
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    Status status = judge_write(doing, *answer, create, rehearsal);
    wipe(answer->body);
    co_return status;
  }

  Status judge_write(const Doing& doing, const http::Response& answer, bool create, bool rehearsal) {
    if (answer.status == 200 || answer.status == 201) {
      const auto before = seen_;
      auto written = take_in_secret(doing, answer.body);
      if (rehearsal || !written) seen_ = before;
      if (!written) return fail(std::move(written.error()));
      return {};
    }
    Error error = hinted(refusal(doing, answer, read_status(answer)));
    if (answer.status == 404 && !create && error.server_code == "NotFound") {
      error.code = ErrorCode::conflict;  // it was there at the last read()
      error.retryable = true;
    } else if (answer.status == 404 && create) {
      error.hint = fmt::format("does the namespace {} exist? graftd makes Secrets, never namespaces",
                               graft::quote(target_.namespace_name));
    }
    if (error.code == ErrorCode::conflict)
      error.hint = "somebody else has changed the Secret meanwhile; nothing was overwritten, it is read anew";
    return fail(std::move(error));
  }

  Error hinted(Error error) const {
    if (error.code == ErrorCode::forbidden) {
      error.hint = error.server_text.find("quota") != std::string::npos
                       ? fmt::format("a quota of the namespace {} is reached", graft::quote(target_.namespace_name))
                       : fmt::format(
                             "graftd's service account needs a Role in namespace {}: apiGroups [\"\"], resources "
                             "[secrets], verbs [get, create, patch]; resourceNames [{}] may restrict get and "
                             "patch, never create",
                             graft::quote(target_.namespace_name), target_.name);
    } else if (error.code == ErrorCode::unauthenticated) {
      error.hint = fmt::format(
          "is kubernetes.tokenFile the token of a service account of this cluster? It is needed "
          "with a Role in namespace {}: get, create and patch of secrets, resourceNames [{}]",
          graft::quote(target_.namespace_name), target_.name);
    }
    return error;
  }

  KubernetesTarget target_;
  KubernetesAccess access_;
  std::string annotation_;
  std::optional<Seen> seen_;
};

}  // namespace

asio::awaitable<Result<http::Response>> KubernetesAccess::send(http::Request request) const {
  Result<Secret> token = Secret();
  if (!token_file_.empty()) token = read_credential_line(token_file_);
  if (!token && token.error().code == ErrorCode::not_found) token = Secret();
  if (!token) {
    Error error = std::move(token.error());
    error.hint = "kubernetes.tokenFile must be readable for graftd's user";
    co_return fail(std::move(error).context("the token for the Kubernetes API"));
  }
  if (!token->empty()) {
    std::string header;
    header.reserve(token->reveal().size() + 8);
    header.append("Bearer ").append(token->reveal());
    request.headers.emplace_back("Authorization", std::move(header));
  }
  request.headers.emplace_back("Accept", "application/json");
  co_return co_await transport_.exchange(std::move(request));
}

std::unique_ptr<Sink> make_kubernetes_sink(KubernetesTarget target, KubernetesAccess access) {
  return std::make_unique<KubernetesSink>(std::move(target), std::move(access));
}

std::string marker_annotation(std::string_view key) {
  constexpr std::string_view stem = "marker.";
  const bool fits = !key.empty() && stem.size() + key.size() <= name_part_limit &&
                    std::isalnum(static_cast<unsigned char>(key.back())) != 0;
  if (fits) return fmt::format("graftd/{}{}", stem, key);
  return fmt::format("graftd/marker-of.{}", sha256_base32(key, 26));
}

}  // namespace graft::sink
