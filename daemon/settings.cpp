#include "daemon/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/text.hpp"

namespace graft::daemon {

namespace {

constexpr std::chrono::seconds longest_interval{86'400};

template <std::string Settings::* member>
Status text(Settings& settings, const std::string& value) {
  if (has_control_characters(value)) return fail(ErrorCode::invalid, "control characters are not allowed");
  settings.*member = value;
  return {};
}

template <std::string Settings::* member>
Status non_blank(Settings& settings, const std::string& value) {
  if (trim(value).empty()) return fail(ErrorCode::invalid, "must not be empty");
  return text<member>(settings, value);
}

template <std::chrono::seconds Settings::* member, std::int64_t least>
Status duration(Settings& settings, const std::string& value) {
  Result<std::chrono::seconds> parsed = parse_duration(value);
  if (!parsed) return fail(std::move(parsed.error()));
  if (*parsed < std::chrono::seconds(least) || *parsed > longest_interval)
    return fail(ErrorCode::invalid, fmt::format("must be from {} to {}", format_duration(std::chrono::seconds(least)),
                                                format_duration(longest_interval)));
  settings.*member = *parsed;
  return {};
}

template <std::size_t Settings::* member>
Status number(Settings& settings, const std::string& value) {
  constexpr std::size_t most = 1'000'000;
  std::size_t parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc{} || end != value.data() + value.size() || parsed < 1 || parsed > most)
    return fail(ErrorCode::invalid, fmt::format("must be a whole number from 1 to {}", most));
  settings.*member = parsed;
  return {};
}

Status one_of(std::string& out, const std::string& value, std::span<const std::string_view> words) {
  if (std::ranges::find(words, value) == words.end()) {
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
    return fail(ErrorCode::invalid, "must be one of " + list);
  }
  out = value;
  return {};
}

Status log_level(Settings& settings, const std::string& value) {
  static constexpr std::array<std::string_view, 4> words{"debug", "info", "warning", "error"};
  return one_of(settings.log_level, value, words);
}

Status log_format(Settings& settings, const std::string& value) {
  static constexpr std::array<std::string_view, 2> words{"logfmt", "json"};
  return one_of(settings.log_format, value, words);
}

Status webhook_events(Settings& settings, const std::string& value) {
  static constexpr std::array<std::string_view, 6> words{"drift", "failure", "rotation", "expiry", "hold", "stopped"};
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    std::string word;
    if (Status known = one_of(word, std::string(trim(value.substr(at, end - at))), words); !known) return known;
    at = end + 1;
  }
  settings.webhook_events = value;
  return {};
}

template <bool Settings::* member>
Status yes_or_no(Settings& settings, const std::string& value) {
  if (value != "true" && value != "false") return fail(ErrorCode::invalid, "must be true or false");
  settings.*member = value == "true";
  return {};
}

constexpr std::array<Setting, 41> table{{
    {"owner", "a name", "", true,
     "Who this graftd is; it is part of the proof that a token is ours. Never change it: tokens of the old owner would "
     "be "
     "foreign.",
     non_blank<&Settings::owner>},
    {"grafana.url", "an http or https URL", "http://localhost:3000", false,
     "Where Grafana is, with its sub-path if it has one.", non_blank<&Settings::url>},
    {"grafana.auth.username", "a login", "", false,
     "Login of a Grafana server admin; its password is in grafana.auth.passwordFile.", non_blank<&Settings::username>},
    {"grafana.auth.passwordFile", "a file", "", false,
     "File that holds the password; a line end at its end is ignored. Read again when it changes.",
     non_blank<&Settings::password_file>},
    {"grafana.auth.tokenFile", "a file", "", false,
     "File that holds the key of a service account, instead of a login: for one organization, nothing server-wide.",
     non_blank<&Settings::token_file>},
    {"grafana.tls.caFile", "a file", "", false, "Certificates (PEM) to trust instead of the system's.",
     non_blank<&Settings::ca_file>},
    {"grafana.tls.certFile", "a file", "", false, "Client certificate (PEM), for a proxy that asks for one.",
     non_blank<&Settings::cert_file>},
    {"grafana.tls.keyFile", "a file", "", false, "Private key (PEM) of the client certificate.",
     non_blank<&Settings::key_file>},
    {"manifests.directory", "a directory", "", true,
     "Where the manifests are. A link to a directory (git-sync, ConfigMap) is resolved once a cycle.",
     non_blank<&Settings::manifests_directory>},
    {"interval", "a duration", "60s", false,
     "How often the live state is compared, with 10 % jitter. A change of the manifests is seen within 2 s.",
     duration<&Settings::interval, 1>},
    {"state.directory", "a directory", "/var/lib/graftd/state", false,
     "What must survive a restart; ours alone. Never holds a key or a password.",
     non_blank<&Settings::state_directory>},
    {"tokens.directory", "a directory", "/var/lib/graftd/tokens", false, "Where the paths of `deliverTo: file` begin.",
     non_blank<&Settings::tokens_directory>},
    {"tokens.minimumGrace", "a duration", "5m", false,
     "A superseded token lives at least so long after its successor was delivered: at least twice the interval at "
     "which "
     "its users read the file.",
     duration<&Settings::minimum_grace, 0>},
    {"tokens.orphanAge", "a duration", "60s", false,
     "A token whose key was lost before delivery is deleted at this age, and a new one made.",
     duration<&Settings::orphan_age, 0>},
    {"kubernetes.url", "an http or https URL", "", false,
     "Where the Kubernetes API is, for `deliverTo: kubernetesSecret`. In a pod: the cluster that it runs in.",
     non_blank<&Settings::kubernetes_url>},
    {"kubernetes.caFile", "a file", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", false,
     "Certificates (PEM) to trust. Where the default is no file, the system's are.",
     non_blank<&Settings::kubernetes_ca_file>},
    {"kubernetes.tokenFile", "a file", "/var/run/secrets/kubernetes.io/serviceaccount/token", false,
     "File that holds the bearer token; read for every request. Without such a file none is sent.",
     non_blank<&Settings::kubernetes_token_file>},
    {"vault.url", "an http or https URL", "", false, "Where HashiCorp Vault is, for `deliverTo: vault`.",
     non_blank<&Settings::vault_url>},
    {"vault.caFile", "a file", "", false, "Certificates (PEM) to trust instead of the system's.",
     non_blank<&Settings::vault_ca_file>},
    {"vault.namespace", "a name", "", false, "Namespace of Vault Enterprise.", non_blank<&Settings::vault_namespace>},
    {"vault.auth.tokenFile", "a file", "", false, "File that holds a Vault token; read for every request.",
     non_blank<&Settings::vault_token_file>},
    {"vault.auth.kubernetes.role", "a name", "", false,
     "Role of Vault's Kubernetes auth method to log in with, instead of a token.", non_blank<&Settings::vault_role>},
    {"vault.auth.kubernetes.mount", "a path", "kubernetes", false, "Where that auth method is mounted.",
     non_blank<&Settings::vault_login_mount>},
    {"vault.auth.kubernetes.jwtFile", "a file", "/var/run/secrets/kubernetes.io/serviceaccount/token", false,
     "File that holds the service account's token to log in with.", non_blank<&Settings::vault_jwt_file>},
    {"tokens.reissuesPerHour", "a number from 1", "3", false,
     "How many times an hour one token is replaced without a plan (its file lost, its token deleted or revoked, a sink "
     "rolled back) before graftd stops and asks for a person. First keys and rotations do not count.",
     number<&Settings::reissues_per_hour>},
    {"tokens.reissuesPerMinute", "a number from 1", "10", false,
     "How many tokens altogether are replaced without a plan within a minute; others wait.",
     number<&Settings::reissues_per_minute>},
    {"log.level", "debug, info, warning or error", "info", false, "The least important events that are logged.",
     log_level},
    {"log.format", "logfmt or json", "logfmt", false, "The form of a log line on standard error.", log_format},
    {"suspend", "true or false", "false", false,
     "Compare only: cycles show what differs and change nothing, no token is rotated.", yes_or_no<&Settings::suspend>},
    {"http.listen", "HOST:PORT or none", "127.0.0.1:9417", false,
     "Where the HTTP endpoint and the status page are. An address that others can reach needs http.tokenFile and "
     "http.tls, or http.allowRemote.",
     non_blank<&Settings::http_listen>},
    {"http.socket", "a path or none", "/run/graftd/graftd.sock", false,
     "The same endpoint as a Unix socket for its owner, which `graftd status` and the others use. Where the directory "
     "of the default path does not exist, there is none.",
     non_blank<&Settings::http_socket>},
    {"http.hosts", "names, separated by commas", "", false,
     "Further names by which the endpoint may be asked for (Host header), beside localhost and its address.",
     non_blank<&Settings::http_hosts>},
    {"http.tokenFile", "a file", "", false,
     "File that holds the bearer token for requests that change something. Without it they are off; on the Unix socket "
     "none is needed.",
     non_blank<&Settings::http_token_file>},
    {"http.tls.certFile", "a file", "", false, "Certificate chain (PEM) of the endpoint; with it, HTTPS only.",
     non_blank<&Settings::http_cert_file>},
    {"http.tls.keyFile", "a file", "", false, "Its private key (PEM).", non_blank<&Settings::http_key_file>},
    {"http.allowRemote", "true or false", "false", false,
     "Listen on an address that others can reach without token and TLS: where the network keeps strangers out.",
     yes_or_no<&Settings::http_allow_remote>},
    {"history.limit", "a number from 1", "10000", false, "How many changes the history keeps.",
     number<&Settings::history_limit>},
    {"webhook.url", "an http or https URL", "", false,
     "Where events are sent to (docs/operating.md); link-local addresses are refused.",
     non_blank<&Settings::webhook_url>},
    {"webhook.secretFile", "a file", "", false,
     "File that holds the secret by which events are signed; two lines while it is replaced.",
     non_blank<&Settings::webhook_secret_file>},
    {"webhook.events", "words, separated by commas", "drift,failure,rotation,expiry,hold,stopped", false,
     "Which events are sent.", webhook_events},
    {"config", "a file", "/etc/graftd/graftd.yaml", false, "This configuration file; a flag and a variable only.",
     nullptr},
}};

}  // namespace

std::span<const Setting> setting_table() { return table; }

std::string flag_of(std::string_view key) {
  std::string flag = "--";
  for (const char c : key) {
    if (c == '.') {
      flag += '-';
    } else if (c >= 'A' && c <= 'Z') {
      flag += '-';
      flag += static_cast<char>(c - 'A' + 'a');
    } else {
      flag += c;
    }
  }
  return flag;
}

std::string environment_of(std::string_view key) {
  std::string name = "GRAFTD_";
  for (const char c : flag_of(key).substr(2))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace graft::daemon
