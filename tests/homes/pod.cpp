#include "homes/pod.hpp"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "homes/home.hpp"

namespace graft::test {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;
using test_support::Process;

namespace {

// Without the pod's group, nobody could give it the key.
std::string manifest(bool with_group) {
  static const std::string text = R"(apiVersion: graftd/v1
kind: Organization
metadata: {name: apiorg}
spec:
  serviceAccounts:
    - name: test
      role: Viewer
      tokens:
        - name: test-token
          ttl: 30d
          deliverTo: [{file: {path: apiorg/test-token, GROUP mode: "0640"}}]
  dashboards:
    - {uid: board, model: {title: Board, schemaVersion: 36, panels: []}}
)";
  const std::string place = "GROUP";
  std::string out = text;
  return out.replace(out.find(place), place.size(), with_group ? "group: \"2000\"," : "");
}

unsigned short free_port() {
  const int number = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = ::bind(number, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(number);
  if (!found) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

// An emptyDir of a pod with an fsGroup: everybody's to write, what is made in it is the group's.
void make_empty_dir(const std::string& path) {
  fs::create_directories(path);
  if (::geteuid() == 0 && ::chown(path.c_str(), 0, pod_group) != 0) throw std::runtime_error("chown " + path);
  if (::chmod(path.c_str(), 02777) != 0) throw std::runtime_error("chmod " + path);
}

bool can_make_namespaces(const std::string& directory) {
  return ::geteuid() == 0 &&
         Process({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/true"}, directory).wait() == 0;
}

}  // namespace

Pod::Pod(std::string program, unsigned memory)
    : program_(std::move(program)),
      memory_(memory),
      limited_(can_make_namespaces(directory_.path())),
      port_(free_port()),
      url_(fmt::format("http://127.0.0.1:{}", port_)),
      admin_(url_, "admin", "admin") {
  fs::permissions(directory_.path(), fs::perms(0711));  // for users that are not ours
  write_volumes();
}

std::string Pod::inside(const std::string& path) const { return limited_ ? path : directory_ / ("volumes" + path); }

void Pod::write_volumes() const {
  for (const char* volume : {"state", "keys", "run"}) make_empty_dir(directory_ / ("volumes/" + std::string(volume)));
  // As fsGroup leaves a Secret's file: root's, and readable by the group.
  directory_.write("volumes/secrets/password", "admin\n");
  const std::string password = directory_ / "volumes/secrets/password";
  if (limited_ && ::chown(password.c_str(), 0, pod_group) != 0) throw std::runtime_error("chown " + password);
  fs::permissions(password, fs::perms(0440));
  config_map(directory_ / "volumes/manifests")->publish({{"apiorg.yaml", manifest(limited_)}});
  // The state directory lies in its volume, not at its root: nobody else may be able to write it.
  config_map(directory_ / "volumes/config")
      ->publish({{"graftd.yaml", fmt::format("owner: pod\n"
                                             "grafana: {{url: '{}', auth: {{username: admin, passwordFile: {}}}}}\n"
                                             "manifests: {{directory: {}}}\n"
                                             "interval: 2s\n"
                                             "state: {{directory: {}}}\n"
                                             "tokens: {{directory: {}}}\n"
                                             "http: {{listen: none, socket: {}}}\n",
                                             url_, inside("/secrets/password"), inside("/manifests"),
                                             inside("/state/graftd"), inside("/keys"), inside("/run/graftd.sock"))}});
}

void Pod::start_grafana() {
  grafana_ = std::make_unique<Process>(std::vector<std::string>{std::string(GRAFTD_BIN_DIR) + "/grafana-simulator",
                                                                "--listen", fmt::format("127.0.0.1:{}", port_)},
                                       directory_.path().string());
  if (!grafana_->wait_for("listening on")) throw std::runtime_error("no Grafana: " + grafana_->err());
}

void Pod::kill_grafana() {
  grafana_->signal(SIGKILL);
  (void)grafana_->wait();
}

void Pod::end_grafana() {
  grafana_->signal(SIGTERM);
  (void)grafana_->wait();
}

std::unique_ptr<Process> Pod::start(std::vector<std::string> arguments) const {
  std::vector<std::string> all{program_};
  if (limited_)
    all = {std::string(GRAFTD_SOURCE_DIR) + "/tests/homes/container", directory_.path().string(),
           std::to_string(memory_), program_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.insert(all.end(), {"--config", inside("/config/graftd.yaml")});
  return std::make_unique<Process>(std::move(all), directory_.path().string());
}

int Pod::run(const std::vector<std::string>& arguments) const { return start(arguments)->wait(); }

std::optional<std::string> Pod::key_as(unsigned user, bool in_group) const {
  Process reader({"/usr/bin/setpriv", fmt::format("--reuid={}", user), fmt::format("--regid={}", user),
                  in_group ? fmt::format("--groups={}", pod_group) : "--clear-groups", "--inh-caps=-all",
                  "--bounding-set=-all", "/bin/cat", key_file()},
                 directory_.path().string());
  if (reader.wait() != 0) return std::nullopt;
  return reader.out();
}

int Pod::status_of(const std::string& key) const try {
  return test_support::request(url_, "GET", "/api/user", {{"Authorization", "Bearer " + key}}).status;
} catch (const std::runtime_error&) {
  return 0;
}

std::vector<std::string> Pod::tokens() const {
  const long organization = json::parse(admin_.get("/api/orgs/name/apiorg").body).at("id").get<long>();
  std::vector<std::string> names;
  const json accounts = json::parse(admin_.get("/api/serviceaccounts/search", organization).body);
  for (const json& account : accounts.at("serviceAccounts")) {
    const std::string target = fmt::format("/api/serviceaccounts/{}/tokens", account.at("id").get<long>());
    for (const json& token : json::parse(admin_.get(target, organization).body))
      names.push_back(token.at("name").get<std::string>());
  }
  return names;
}

bool Pod::has_dashboard() const {
  const auto reply = admin_.get("/api/orgs/name/apiorg");
  if (reply.status != 200) return false;
  return admin_.get("/api/dashboards/uid/board", json::parse(reply.body).at("id").get<long>()).status == 200;
}

}  // namespace graft::test
