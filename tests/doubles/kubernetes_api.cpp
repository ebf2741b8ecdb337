#include "doubles/kubernetes_api.hpp"

#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "simulator/text.hpp"

namespace graft::doubles {

namespace {

using nlohmann::json;

constexpr std::size_t annotations_limit = std::size_t{256} * 1024;
constexpr std::size_t data_limit = std::size_t{1024} * 1024;

Reply json_reply(int status, const json& body) {
  Reply reply;
  reply.status = status;
  reply.body = body.dump() + "\n";
  return reply;
}

Reply status_reply(int code, const std::string& reason, const std::string& message, const std::string& name = {}) {
  json details{{"kind", "secrets"}};
  if (!name.empty()) details["name"] = name;
  return json_reply(code, {{"kind", "Status"},
                           {"apiVersion", "v1"},
                           {"metadata", json::object()},
                           {"status", "Failure"},
                           {"message", message},
                           {"reason", reason},
                           {"details", std::move(details)},
                           {"code", code}});
}

Reply invalid(const std::string& name, const std::string& why) {
  return status_reply(422, "Invalid", "Secret \"" + name + "\" is invalid: " + why, name);
}

// apimachinery, IsQualifiedName.
bool annotation_name(const std::string& full) {
  const auto slash = full.find('/');
  const std::string name = slash == std::string::npos ? full : full.substr(slash + 1);
  if (name.empty() || name.size() > 63 || name.find('/') != std::string::npos) return false;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') return false;
  return std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
         std::isalnum(static_cast<unsigned char>(name.back())) != 0;
}

bool data_key(const std::string& key) {
  if (key.empty() || key.size() > 253 || key == "." || key.starts_with("..")) return false;
  for (const char c : key)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') return false;
  return true;
}

// What the API server's validation says of the content; "" when it is sound.
std::string validate(const json& secret) {
  std::size_t size = 0;
  const json annotations = secret["metadata"].value("annotations", json::object());
  const json data = secret.value("data", json::object());
  for (const auto& [name, value] : annotations.items()) {
    if (!annotation_name(name)) return "metadata.annotations: Invalid value: \"" + name + "\"";
    size += name.size() + value.get<std::string>().size();
  }
  if (size > annotations_limit) return "metadata.annotations: Too long";
  size = 0;
  for (const auto& [key, value] : data.items()) {
    if (!data_key(key)) return "data[" + key + "]: Invalid value: \"" + key + "\"";
    size += value.get<std::string>().size() / 4 * 3;
  }
  return size > data_limit ? "data: Too long: must have at most 1048576 bytes" : "";
}

// Decoding into the Go struct: types that do not fit are a 400, before anything is validated.
bool decodable(const json& secret) {
  if (!secret.is_object() || !secret.contains("metadata") || !secret["metadata"].is_object()) return false;
  for (const json* map : {&secret["metadata"], &secret}) {
    const char* name = map == &secret ? "data" : "annotations";
    if (!map->contains(name)) continue;
    if (!(*map)[name].is_object()) return false;
    for (const json& value : (*map)[name]) {
      if (!value.is_string()) return false;
      if (map == &secret && !simulator::base64_decode(value.get<std::string>())) return false;
    }
  }
  return true;
}

}  // namespace

struct KubernetesApi::State {
  std::map<std::string, json> secrets;  // by "namespace/name"
  std::set<std::string> missing_namespaces, forbidden;
  std::string token;
  bool quota_reached = false;
  std::uint64_t version = 1000, made = 0;

  json& at(const std::string& ns, const std::string& name) {
    json& secret = secrets[ns + "/" + name];
    if (secret.is_null())
      secret = finish({{"metadata", {{"name", name}}}, {"data", json::object()}, {"type", "Opaque"}}, ns);
    return secret;
  }
  json finish(json secret, const std::string& ns) {
    secret["kind"] = "Secret";
    secret["apiVersion"] = "v1";
    if (!secret.contains("type")) secret["type"] = "Opaque";
    json& metadata = secret["metadata"];
    metadata["namespace"] = ns;
    metadata["uid"] = "5c7f2f0e-0000-4000-8000-" + std::to_string(100000000000 + ++made);
    metadata["creationTimestamp"] = "2026-11-24T06:29:53Z";
    metadata["managedFields"] = {
        {{"manager", "graftd"}, {"operation", "Update"}, {"fieldsV1", {{"f:data", {{".", {}}}}}}}};
    touch(secret);
    return secret;
  }
  void touch(json& secret) { secret["metadata"]["resourceVersion"] = std::to_string(++version); }

  Reply forbidden_reply(const std::string& verb, const std::string& ns, const std::string& name) const {
    return status_reply(403, "Forbidden",
                        "secrets \"" + name + "\" is forbidden: User \"system:serviceaccount:graftd:graftd\" cannot " +
                            verb + " resource \"secrets\" in API group \"\" in the namespace \"" + ns + "\"",
                        name);
  }
  static Reply missing(const std::string& name) {
    return status_reply(404, "NotFound", "secrets \"" + name + "\" not found", name);
  }

  Reply get(const std::string& ns, const std::string& name) {
    const auto found = secrets.find(ns + "/" + name);
    return found == secrets.end() ? missing(name) : json_reply(200, found->second);
  }

  Reply create(const std::string& ns, const Request& request, bool dry) {
    if (missing_namespaces.contains(ns))
      return status_reply(404, "NotFound", "namespaces \"" + ns + "\" not found", ns);
    json secret = json::parse(request.body, nullptr, false);
    if (!decodable(secret))
      return status_reply(400, "BadRequest", "Secret in version \"v1\" cannot be handled as a Secret");
    const std::string name = secret["metadata"].value("name", "");
    if (secrets.contains(ns + "/" + name))
      return status_reply(409, "AlreadyExists", "secrets \"" + name + "\" already exists", name);
    if (quota_reached)
      return status_reply(403, "Forbidden", "secrets \"" + name + "\" is forbidden: exceeded quota: q", name);
    if (name.empty()) return invalid(name, "metadata.name: Required value: name or generateName is required");
    if (const std::string why = validate(secret); !why.empty()) return invalid(name, why);
    secret = finish(std::move(secret), ns);
    if (!dry) secrets[ns + "/" + name] = secret;
    return json_reply(201, secret);
  }

  Reply patch(const std::string& ns, const std::string& name, const Request& request, bool dry) {
    if (request.header("content-type") != "application/merge-patch+json")
      return status_reply(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
    const auto found = secrets.find(ns + "/" + name);
    if (found == secrets.end()) return missing(name);
    const json change = json::parse(request.body, nullptr, false);
    if (!change.is_object()) return status_reply(400, "BadRequest", "error decoding patch");
    json patched = found->second;
    patched.merge_patch(change);
    if (!decodable(patched)) return status_reply(400, "BadRequest", "illegal base64 data or a wrong type");
    if (patched["metadata"]["resourceVersion"] != found->second["metadata"]["resourceVersion"])
      return status_reply(409, "Conflict",
                          "Operation cannot be fulfilled on secrets \"" + name +
                              "\": the object has been modified; please apply your changes to the latest version and "
                              "try again",
                          name);
    if (found->second.value("immutable", false) && patched["data"] != found->second["data"])
      return invalid(name, "data: Forbidden: field is immutable when `immutable` is set");
    if (const std::string why = validate(patched); !why.empty()) return invalid(name, why);
    if (patched != found->second) touch(patched);  // an update that changes nothing is not stored
    if (!dry) found->second = patched;
    return json_reply(200, patched);
  }
};

KubernetesApi::KubernetesApi() : state_(std::make_unique<State>()) {}
KubernetesApi::~KubernetesApi() { stop(); }

Reply KubernetesApi::answer(const Request& request) {
  if (!state_->token.empty() && request.header("authorization") != "Bearer " + state_->token)
    return status_reply(401, "Unauthorized", "Unauthorized");
  const auto& path = request.segments;
  const bool known = path.size() >= 5 && path.size() <= 6 && path[0] == "api" && path[1] == "v1" &&
                     path[2] == "namespaces" && path[4] == "secrets";
  if (!known) return {404, "text/plain; charset=utf-8", "404 page not found\n", {}};
  const std::string& ns = path[3];
  const std::string name = path.size() == 6 ? path[5] : "";
  const std::map<std::string, std::string> verbs{{"GET", "get"}, {"POST", "create"}, {"PATCH", "patch"}};
  const auto verb = verbs.find(request.method);
  if (verb == verbs.end() || (verb->second == "create") != name.empty())
    return status_reply(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  if (state_->forbidden.contains(verb->second)) return state_->forbidden_reply(verb->second, ns, name);
  const std::string dry_run = request.parameter("dryRun");
  if (!dry_run.empty() && dry_run != "All") return invalid(name, "dryRun: Unsupported value: \"" + dry_run + "\"");
  if (verb->second == "get") return state_->get(ns, name);
  if (verb->second == "create") return state_->create(ns, request, !dry_run.empty());
  return state_->patch(ns, name, request, !dry_run.empty());
}

void KubernetesApi::remove_namespace(const std::string& name) {
  const auto held = lock();
  state_->missing_namespaces.insert(name);
}
void KubernetesApi::require_token(const std::string& token) {
  const auto held = lock();
  state_->token = token;
}
void KubernetesApi::forbid(const std::string& verb) {
  const auto held = lock();
  state_->forbidden.insert(verb);
}
void KubernetesApi::allow(const std::string& verb) {
  const auto held = lock();
  state_->forbidden.erase(verb);
}
void KubernetesApi::reach_quota(bool reached) {
  const auto held = lock();
  state_->quota_reached = reached;
}

std::optional<std::string> KubernetesApi::data(const std::string& ns, const std::string& name,
                                               const std::string& key) const {
  const auto held = lock();
  const auto found = state_->secrets.find(ns + "/" + name);
  if (found == state_->secrets.end() || !found->second["data"].contains(key)) return std::nullopt;
  return simulator::base64_decode(found->second["data"][key].get<std::string>());
}

std::optional<std::string> KubernetesApi::annotation(const std::string& ns, const std::string& name,
                                                     const std::string& annotation) const {
  const auto held = lock();
  const auto found = state_->secrets.find(ns + "/" + name);
  if (found == state_->secrets.end()) return std::nullopt;
  const json& metadata = found->second["metadata"];
  if (!metadata.contains("annotations") || !metadata["annotations"].contains(annotation)) return std::nullopt;
  return metadata["annotations"][annotation].get<std::string>();
}

std::string KubernetesApi::secret(const std::string& ns, const std::string& name) const {
  const auto held = lock();
  const auto found = state_->secrets.find(ns + "/" + name);
  return found == state_->secrets.end() ? std::string() : found->second.dump();
}

std::string KubernetesApi::resource_version(const std::string& ns, const std::string& name) const {
  const auto held = lock();
  const auto found = state_->secrets.find(ns + "/" + name);
  if (found == state_->secrets.end()) return {};
  return found->second["metadata"]["resourceVersion"].get<std::string>();
}

void KubernetesApi::set_data(const std::string& ns, const std::string& name, const std::string& key,
                             const std::string& value) {
  const auto held = lock();
  json& secret = state_->at(ns, name);
  secret["data"][key] = simulator::base64_encode(value);
  state_->touch(secret);
}

void KubernetesApi::remove_data(const std::string& ns, const std::string& name, const std::string& key) {
  const auto held = lock();
  json& secret = state_->at(ns, name);
  secret["data"].erase(key);
  state_->touch(secret);
}

void KubernetesApi::set_annotation(const std::string& ns, const std::string& name, const std::string& annotation,
                                   const std::string& value) {
  const auto held = lock();
  json& secret = state_->at(ns, name);
  secret["metadata"]["annotations"][annotation] = value;
  state_->touch(secret);
}

void KubernetesApi::set_immutable(const std::string& ns, const std::string& name) {
  const auto held = lock();
  json& secret = state_->at(ns, name);
  secret["immutable"] = true;
  state_->touch(secret);
}

void KubernetesApi::remove(const std::string& ns, const std::string& name) {
  const auto held = lock();
  state_->secrets.erase(ns + "/" + name);
}

}  // namespace graft::doubles
