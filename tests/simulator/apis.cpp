#include "apis.hpp"

#include <algorithm>

#include "dashboard_versions.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

using Result = std::variant<Sent, Reply>;

Reply bad_request_status(const std::string& message) { return status_reply(400, message, "BadRequest"); }

Reply unrecognized(const KindNames& names, const std::string& error, const std::string& shown) {
  return bad_request_status("the object provided is unrecognized (must be of type " + std::string(names.name) +
                            "): couldn't get version/kind; json parse error: " + error + " (" + shown + ")");
}

// The start of a body as Kubernetes quotes it: text for an object, bytes in hex for anything else.
std::string quoted_start(const std::string& body) {
  constexpr std::size_t most = 30;
  if (body.empty()) return "<empty>";
  std::string shown;
  if (body[0] == '{') {
    shown = body.substr(0, most);
  } else {
    for (const char c : body.substr(0, most)) {
      shown += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
      shown += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
    }
  }
  return body.size() > most ? shown + " ..." : shown;
}

Reply conflict_status(const KindNames& names, const std::string& name) {
  return status_reply(
      409,
      "Operation cannot be fulfilled on " + names.resource() + " \"" + name +
          "\": the object has been modified; please apply your changes to the latest version and try again",
      "Conflict", {{"name", name}, {"group", names.group}, {"kind", names.plural}});
}

Texts texts(const Json& metadata, const char* key) {
  Texts found;
  const Json* map = field(metadata, key);
  if (map == nullptr || !map->is_object()) return found;
  for (const auto& [name, value] : map->items()) {
    if (value.is_string()) found[name] = value.get<std::string>();
  }
  return found;
}

std::string text_at(const Json& object, const char* key) {
  const Json* value = field(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// Who writes, as managedFields call it.
std::string manager_of(const Request& request) {
  const std::string asked = request.parameter("fieldManager");
  if (!asked.empty()) return asked;
  const std::string agent = request.header("user-agent");
  return agent.empty() ? "unknown" : agent.substr(0, agent.find('/'));
}

std::optional<Reply> wrong_type(const Json& object, const KindNames& names) {
  const std::string version = text_at(object, "apiVersion");
  const std::string kind = text_at(object, "kind");
  if (!version.empty() && version != names.api_version()) {
    return bad_request_status("the API version in the data (" + version +
                              ") does not match the expected API version (" + names.api_version() + ")");
  }
  if (!kind.empty() && kind != names.name) {
    return bad_request_status(kind + " in version \"" + names.version + "\" cannot be handled as a " + names.name +
                              ": no kind \"" + kind + "\" is registered for version \"" + names.api_version() +
                              "\" in scheme \"pkg/runtime/scheme.go:111\"");
  }
  return std::nullopt;
}

std::optional<Reply> wrong_spec(const Json& object, const KindNames& names) {
  const Json* spec = field(object, "spec");
  if (spec == nullptr || spec->is_object()) return std::nullopt;
  const std::string type = spec->is_array()     ? "array"
                           : spec->is_string()  ? "string"
                           : spec->is_boolean() ? "bool"
                                                : "number";
  return bad_request_status(std::string(names.name) + " in version \"" + names.version + "\" cannot be handled as a " +
                            names.name + ": json: cannot unmarshal " + type + " into Go struct field " + names.name +
                            ".spec of type map[string]interface {}");
}

Json labels_json(const Texts& map) { return map; }

bool wants_metadata_only(const Call& call) {
  return call.request.header("accept").find("as=PartialObjectMetadata") != std::string::npos;
}

}  // namespace

std::optional<Reply> namespace_refusal(const Call& call) {
  const auto found = call.names.find("namespace");
  const auto org = found == call.names.end() ? std::nullopt : org_of_namespace(found->second);
  if (org && *org == call.caller.org && call.caller.role) return std::nullopt;
  return status_reply(500, "namespace mismatch");
}

Json object_json(const KindNames& names, const Resource& resource, bool version_told) {
  Json metadata = {{"name", resource.name},
                   {"namespace", namespace_of_org(resource.org)},
                   {"uid", resource.uid},
                   {"generation", resource.generation},
                   {"creationTimestamp", rfc3339(resource.created)}};
  if (version_told && resource.version != 0) metadata["resourceVersion"] = std::to_string(resource.version);
  if (resource.deleted) metadata["deletionTimestamp"] = rfc3339(*resource.deleted);
  if (!resource.labels.empty()) metadata["labels"] = labels_json(resource.labels);
  if (!resource.annotations.empty()) metadata["annotations"] = labels_json(resource.annotations);
  if (!resource.owners.empty()) metadata["managedFields"] = to_json(resource.owners);
  Json object = {
      {"kind", names.name}, {"apiVersion", names.api_version()}, {"metadata", metadata}, {"spec", resource.spec}};
  if (names.kind == Kind::dashboard) object["status"] = Json::object();
  return object;
}

Reply object_reply(const Call& call, const KindNames& names, const Resource& resource, int status, bool version_told) {
  auto converted = converted_object(names, resource, version_told);
  if (!converted) return not_simulated("how to convert this dashboard to " + std::string(names.version));
  Json object = std::move(*converted);
  if (wants_metadata_only(call)) {
    object = {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object["metadata"]}};
  }
  return json_reply(object, status);
}

Reply problem_reply(const Problem& problem) {
  return status_reply(problem.code, problem.message, problem.reason, problem.details);
}

Reply not_found_status(const KindNames& names, const std::string& name) {
  return status_reply(404, names.resource() + " \"" + name + "\" not found", "NotFound",
                      {{"name", name}, {"group", names.group}, {"kind", names.plural}});
}

Reply forbidden_status() {
  const Json body = {
      {"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Failure"}, {"code", 403}};
  return json_reply(body, 403);
}

Result sent_from_json(const Call& call, const KindNames& names, const Json& object) {
  if (const auto refused = wrong_type(object, names)) return *refused;
  if (const auto refused = wrong_spec(object, names)) return *refused;
  const Json* metadata = field(object, "metadata");
  const Json nothing = Json::object();
  const Json& from = metadata == nullptr ? nothing : *metadata;
  const std::string in_body = text_at(from, "namespace");
  if (!in_body.empty() && in_body != call.name("namespace")) {
    return bad_request_status("the namespace of the provided object does not match the namespace sent on the request");
  }
  Sent sent;
  sent.draft.name = text_at(from, "name");
  sent.draft.generate_name = text_at(from, "generateName");
  sent.draft.labels = texts(from, "labels");
  sent.draft.annotations = texts(from, "annotations");
  const Json* spec = field(object, "spec");
  sent.draft.spec = spec == nullptr ? Json::object() : with_float64_numbers(*spec);
  if (names.version == std::string_view(dashboards_v1.version) && names.kind == Kind::dashboard) {
    sent.draft.converted = as_v1beta1(sent.draft.spec);
    if (!sent.draft.converted) return not_simulated("how to migrate this dashboard to schema 42");
  }
  sent.draft.writer = {manager_of(call.request), names.api_version()};
  sent.draft.author = call.caller.subject;
  sent.resource_version = text_at(from, "resourceVersion");
  sent.uid = text_at(from, "uid");
  return sent;
}

Result read_object(const Call& call, const KindNames& names) {
  const std::string& body = call.request.body;
  if (!is_declared_json(call.request)) {
    return status_reply(415,
                        "the body of the request was in an unknown format - accepted media types include: "
                        "application/json, application/yaml",
                        "UnsupportedMediaType");
  }
  const Json object = Json::parse(body, nullptr, false);
  if (object.is_discarded()) return unrecognized(names, "unexpected end of JSON input", quoted_start(body));
  if (object.is_null()) return sent_from_json(call, names, Json::object());
  if (!object.is_object()) {
    return unrecognized(names,
                        "json: cannot unmarshal array into Go value of type struct { APIVersion string "
                        "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }",
                        quoted_start(body));
  }
  return sent_from_json(call, names, object);
}

bool is_dry_run(const Call& call) { return call.request.parameter("dryRun") == "All"; }

std::optional<Reply> wrong_name(const Call& call, const Sent& sent) {
  const std::string& in_path = call.name("name");
  const std::string& in_body = sent.draft.name;
  if (in_body.empty()) {
    return bad_request_status("the name of the object (" + in_path +
                              " based on URL) was undeterminable: name must be provided");
  }
  if (in_body == in_path) return std::nullopt;
  return bad_request_status("the name of the object (" + in_body + ") does not match the name on the URL (" + in_path +
                            ")");
}

std::optional<Reply> unfit_patch(const Call& call, const KindNames& names) {
  const std::string type = media_type(call.request);
  if (type == "application/merge-patch+json" || type == "application/json-patch+json") return std::nullopt;
  if (type != "application/apply-patch+yaml") {
    return status_reply(415, "415: Unsupported Media Type", "UnsupportedMediaType", Json::object());
  }
  return status_reply(500, "failed to convert to unversioned (/" + call.name("name") + "; " + names.api_version() +
                               ", Kind=" + names.name + "): no kind \"" + names.name +
                               "\" is registered for the internal version of group \"" + names.group +
                               "\" in scheme \"pkg/runtime/scheme.go:111\"");
}

std::optional<Reply> failed_update_precondition(const KindNames& names, const Resource& current, const Sent& sent) {
  if (!sent.uid.empty() && sent.uid != current.uid) {
    const std::string key = std::string("/group/") + names.group + "/resource/" + names.plural + "/namespace/" +
                            namespace_of_org(current.org) + "/name/" + current.name;
    return status_reply(
        500, "precondition failed: StorageError: invalid object, Code: 4, Key: " + key +
                 ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " + sent.uid +
                 ", UID in object meta: " + current.uid);
  }
  if (sent.resource_version.empty() || sent.resource_version == std::to_string(current.version)) return std::nullopt;
  return conflict_status(names, current.name);
}

std::optional<Reply> failed_precondition(const Call& call, const KindNames& names, const Resource& current) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const Json* conditions = body.is_discarded() ? nullptr : field(body, "preconditions");
  const std::string version = conditions == nullptr ? "" : text_at(*conditions, "resourceVersion");
  if (version.empty() || version == std::to_string(current.version)) return std::nullopt;
  const std::string what = std::string(names.name) + "." + names.group;
  return status_reply(409,
                      "Operation cannot be fulfilled on " + what + " \"" + current.name +
                          "\": the ResourceVersion in the precondition (" + version +
                          ") does not match the ResourceVersion in record (" + std::to_string(current.version) +
                          "). The object might have been modified",
                      "Conflict", {{"name", current.name}, {"group", names.group}, {"kind", names.name}});
}

Reply deleted_reply(const KindNames& names, const Resource& gone) {
  return json_reply(
      {{"kind", "Status"},
       {"apiVersion", "v1"},
       {"metadata", Json::object()},
       {"status", "Success"},
       {"details", {{"name", gone.name}, {"group", names.group}, {"kind", names.plural}, {"uid", gone.uid}}}});
}

std::variant<Json, Reply> patched_object(const Call& call, const KindNames& names, const Resource& current) {
  Json object = object_json(names, current);
  object["metadata"].erase("managedFields");
  object["metadata"].erase("resourceVersion");
  const Json patch = Json::parse(call.request.body, nullptr, false);
  if (patch.is_discarded()) return bad_request_status("error decoding patch: unexpected end of JSON input");
  if (media_type(call.request) == "application/merge-patch+json") {
    object.merge_patch(patch);
    return object;
  }
  try {
    return object.patch(patch);
  } catch (const Json::exception&) {
    return status_reply(422, "the server rejected our request due to an error in our request", "Invalid",
                        Json::object());
  }
}

}  // namespace graft::simulator
