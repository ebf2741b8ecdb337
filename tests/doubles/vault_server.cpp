#include "doubles/vault_server.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace graft::doubles {

namespace {

using nlohmann::json;

Reply json_reply(int status, const json& body) {
  Reply reply;
  reply.status = status;
  reply.body = body.dump() + "\n";
  return reply;
}

Reply errors(int status, std::initializer_list<std::string> words) {
  json list = json::array();
  for (const std::string& each : words) list.push_back(each);
  return json_reply(status, {{"errors", std::move(list)}});
}

Reply data_reply(int status, json data) {
  return json_reply(status, {{"request_id", "9ce8f1f6-0000-4000-8000-000000000000"},
                             {"lease_id", ""},
                             {"renewable", false},
                             {"lease_duration", 0},
                             {"data", std::move(data)},
                             {"wrap_info", nullptr},
                             {"warnings", nullptr},
                             {"auth", nullptr}});
}

struct Version {
  json fields;
  std::string created;
  bool deleted = false, destroyed = false;
};

json metadata_of(const Version& version, std::size_t number) {
  return {{"version", number},
          {"created_time", version.created},
          {"deletion_time", version.deleted ? "2026-11-24T07:00:00.000000001Z" : ""},
          {"destroyed", version.destroyed},
          {"custom_metadata", nullptr}};
}

bool starts_with_path(const std::string& path, const std::string& start) {
  return path.starts_with(start) && path.size() > start.size() && path[start.size()] == '/';
}

}  // namespace

struct VaultServer::State {
  struct Role {
    std::string jwt;
    int lease = 0;
    std::set<std::string> rights;
  };
  std::map<std::string, int> mounts{{"secret", 2}};
  std::map<std::string, std::set<std::string>> tokens;
  std::map<std::string, Role> roles;
  std::map<std::string, std::vector<Version>> secrets;  // by "mount/path"
  std::map<std::string, json> plain;                    // of version 1, by the path in the request
  std::string wanted_namespace;
  bool sealed = false;
  int logins = 0, written = 0;

  std::vector<Version>& versions(const std::string& mount, const std::string& path) {
    return secrets[mount + "/" + path];
  }

  const Version* current(const std::string& mount, const std::string& path) const {
    const auto found = secrets.find(mount + "/" + path);
    if (found == secrets.end() || found->second.empty()) return nullptr;
    const Version& last = found->second.back();
    return last.deleted || last.destroyed ? nullptr : &last;
  }

  void write(std::vector<Version>& to, json fields) {
    to.push_back({std::move(fields), "2026-11-24T06:29:53." + std::to_string(100000000 + ++written) + "Z"});
  }

  json fields_of(const std::string& mount, const std::string& path) const {
    const Version* version = current(mount, path);
    return version == nullptr ? json::object() : version->fields;
  }

  Reply log_in(const Request& request) {
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("role")) return errors(400, {"missing role"});
    const auto role = roles.find(body.value("role", ""));
    if (role == roles.end()) return errors(400, {"invalid role name \"" + body.value("role", "") + "\""});
    if (body.value("jwt", "") != role->second.jwt) return errors(403, {"permission denied"});
    const std::string token = "hvs.login-" + std::to_string(++logins);
    tokens[token] = role->second.rights;
    json answer = json::parse(data_reply(200, nullptr).body);
    answer["auth"] = {{"client_token", token},
                      {"accessor", "a"},
                      {"policies", {"default", "graftd"}},
                      {"lease_duration", role->second.lease},
                      {"renewable", true}};
    return json_reply(200, answer);
  }

  static Reply capabilities(const Request& request, const std::set<std::string>& rights) {
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("paths") || !body["paths"].is_array()) return errors(400, {"no paths"});
    json data = json::object();
    for (const json& path : body["paths"]) {
      data[path.get<std::string>()] = rights.empty() ? std::set<std::string>{"deny"} : rights;
      data["capabilities"] = data[path.get<std::string>()];
    }
    json answer = json::parse(data_reply(200, data).body);
    answer.update(data);
    return json_reply(200, answer);
  }

  Reply mount_info(const std::string& path) const {
    const auto found = mounts.find(path);
    if (found == mounts.end())
      return errors(403, {"preflight capability check returned 403, please ensure client's policies grant access to "
                          "path \"" +
                          path + "/\""});
    return data_reply(
        200, {{"path", path + "/"}, {"type", "kv"}, {"options", {{"version", std::to_string(found->second)}}}});
  }

  Reply plain_secret(const Request& request, const std::string& path) {
    if (request.method == "GET") {
      const auto found = plain.find(path);
      return found == plain.end() ? errors(404, {}) : data_reply(200, found->second);
    }
    plain[path] = json::parse(request.body, nullptr, false);
    return {204, "", "", {}};
  }

  Reply read(const std::string& mount, const std::string& path) const {
    const auto found = secrets.find(mount + "/" + path);
    if (found == secrets.end() || found->second.empty()) return errors(404, {});
    const Version& last = found->second.back();
    const bool gone = last.deleted || last.destroyed;
    return data_reply(gone ? 404 : 200, {{"data", gone ? json(nullptr) : last.fields},
                                         {"metadata", metadata_of(last, found->second.size())}});
  }

  Reply write(const Request& request, const std::string& mount, const std::string& path) {
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return errors(400, {"failed to parse JSON input"});
    if (!body.contains("data") || !body["data"].is_object()) return errors(400, {"no data provided"});
    std::vector<Version>& all = versions(mount, path);
    const json options = body.value("options", json::object());
    if (options.contains("cas") && options["cas"] != all.size())
      return errors(400, {"check-and-set parameter did not match the current version"});
    write(all, body["data"]);
    return data_reply(200, metadata_of(all.back(), all.size()));
  }

  Reply kv(const Request& request, const std::string& path, const std::set<std::string>& rights) {
    std::string mount;
    for (const auto& [each, version] : mounts)
      if (starts_with_path(path, each)) mount = each;
    if (mount.empty()) return errors(404, {"no handler for route \"" + path + "\". route entry not found."});
    const std::string rest = path.substr(mount.size() + 1);
    const bool reading = request.method == "GET";
    const std::string name = rest.starts_with("data/") ? rest.substr(5) : "";
    const bool exists = secrets.contains(mount + "/" + name) && !secrets.at(mount + "/" + name).empty();
    const char* right = reading ? "read" : exists ? "update" : "create";
    if (!rights.contains("root") && !rights.contains(right))
      return errors(403, {"1 error occurred:\n\t* permission denied\n\n"});
    if (mounts.at(mount) == 1) return plain_secret(request, path);
    if (name.empty()) return errors(404, {});
    return reading ? read(mount, name) : write(request, mount, name);
  }
};

VaultServer::VaultServer() : state_(std::make_unique<State>()) {}
VaultServer::~VaultServer() { stop(); }

Reply VaultServer::answer(const Request& request) {
  if (state_->sealed) return errors(503, {"Vault is sealed"});
  if (request.method != "GET" && request.method != "POST" && request.method != "PUT")
    return errors(405, {"unsupported operation"});
  if (request.segments.empty() || request.segments.front() != "v1")
    return {404, "text/plain", "404 page not found\n", {}};
  std::string path;
  for (std::size_t i = 1; i < request.segments.size(); ++i) path += (i > 1 ? "/" : "") + request.segments[i];
  if (request.header("x-vault-namespace") != state_->wanted_namespace)
    return errors(404, {"no handler for route \"" + path + "\". route entry not found."});
  if (path == "auth/kubernetes/login") return state_->log_in(request);
  const auto token = state_->tokens.find(request.header("x-vault-token"));
  if (token == state_->tokens.end()) return errors(403, {"permission denied"});
  if (path == "sys/capabilities-self") return State::capabilities(request, token->second);
  const std::string mounts = "sys/internal/ui/mounts";
  if (starts_with_path(path, mounts)) return state_->mount_info(path.substr(mounts.size() + 1));
  return state_->kv(request, path, token->second);
}

void VaultServer::mount(const std::string& path, int version) {
  const auto held = lock();
  state_->mounts[path] = version;
}
void VaultServer::unmount(const std::string& path) {
  const auto held = lock();
  state_->mounts.erase(path);
}
void VaultServer::seal(bool sealed) {
  const auto held = lock();
  state_->sealed = sealed;
}
void VaultServer::require_namespace(const std::string& name) {
  const auto held = lock();
  state_->wanted_namespace = name;
}
void VaultServer::add_token(const std::string& token, std::set<std::string> rights) {
  const auto held = lock();
  state_->tokens[token] = std::move(rights);
}
void VaultServer::revoke(const std::string& token) {
  const auto held = lock();
  state_->tokens.erase(token);
}
void VaultServer::revoke_all() {
  const auto held = lock();
  state_->tokens.clear();
}
void VaultServer::allow_login(const std::string& role, const std::string& jwt, int lease_seconds,
                              std::set<std::string> rights) {
  const auto held = lock();
  state_->roles[role] = {jwt, lease_seconds, std::move(rights)};
}
int VaultServer::logins() const {
  const auto held = lock();
  return state_->logins;
}

std::optional<std::string> VaultServer::field(const std::string& mount, const std::string& path,
                                              const std::string& field) const {
  const auto held = lock();
  const json fields = state_->fields_of(mount, path);
  if (!fields.contains(field) || !fields[field].is_string()) return std::nullopt;
  return fields[field].get<std::string>();
}

std::string VaultServer::fields(const std::string& mount, const std::string& path) const {
  const auto held = lock();
  const Version* version = state_->current(mount, path);
  return version == nullptr ? std::string() : version->fields.dump();
}

int VaultServer::version(const std::string& mount, const std::string& path) const {
  const auto held = lock();
  return static_cast<int>(state_->versions(mount, path).size());
}

void VaultServer::set_field(const std::string& mount, const std::string& path, const std::string& field,
                            const std::string& value) {
  const auto held = lock();
  json fields = state_->fields_of(mount, path);
  fields[field] = value;
  state_->write(state_->versions(mount, path), std::move(fields));
}

void VaultServer::set_fields(const std::string& mount, const std::string& path, const std::string& text) {
  const auto held = lock();
  state_->write(state_->versions(mount, path), json::parse(text));
}

void VaultServer::remove_field(const std::string& mount, const std::string& path, const std::string& field) {
  const auto held = lock();
  json fields = state_->fields_of(mount, path);
  fields.erase(field);
  state_->write(state_->versions(mount, path), std::move(fields));
}

void VaultServer::delete_current(const std::string& mount, const std::string& path) {
  const auto held = lock();
  state_->versions(mount, path).back().deleted = true;
}

void VaultServer::destroy_current(const std::string& mount, const std::string& path) {
  const auto held = lock();
  state_->versions(mount, path).back().destroyed = true;
}

}  // namespace graft::doubles
