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

constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> log_formats{"logfmt", "json"};
constexpr std::array<std::string_view, 6> event_words{"drift", "failure", "rotation", "expiry", "hold", "stopped"};

// The forms that the rows of the table below come in.
constexpr Form a_name{"a name", Form::Type::text};
constexpr Form a_login{"a login", Form::Type::text};
constexpr Form a_path{"a path", Form::Type::text};  // of a server: no file of ours
constexpr Form a_url{"an http or https URL", Form::Type::text};
constexpr Form a_repository{"the URL of a repository", Form::Type::text};
constexpr Form a_ref{"a ref", Form::Type::text};
constexpr Form an_address{"HOST:PORT or none", Form::Type::text};
constexpr Form some_names{"names, separated by commas", Form::Type::text};
constexpr Form a_file{"a file", Form::Type::file};
constexpr Form a_socket{"a path or none", Form::Type::file};
constexpr Form a_directory{"a directory", Form::Type::directory};
constexpr Form a_duration{"a duration", Form::Type::duration};
constexpr Form a_number{"a number from 1", Form::Type::number};
constexpr Form a_truth{"true or false", Form::Type::boolean};
constexpr Form a_log_level{"debug, info, warning or error", Form::Type::word, log_levels};
constexpr Form a_log_format{"logfmt or json", Form::Type::word, log_formats};
constexpr Form some_events{"words, separated by commas", Form::Type::words, event_words};

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
  std::size_t parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc{} || end != value.data() + value.size() || parsed < 1 || parsed > largest_number)
    return fail(ErrorCode::invalid, fmt::format("must be a whole number from 1 to {}", largest_number));
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

Status log_level(Settings& settings, const std::string& value) { return one_of(settings.log_level, value, log_levels); }

Status log_format(Settings& settings, const std::string& value) {
  return one_of(settings.log_format, value, log_formats);
}

Status webhook_events(Settings& settings, const std::string& value) {
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    std::string word;
    if (Status known = one_of(word, std::string(trim(value.substr(at, end - at))), event_words); !known) return known;
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

constexpr std::array<Setting, 55> table{{
    {"owner", a_name, "", true,
     "Who this graftd is; it is part of the proof that a token is ours. Never change it: tokens of the old owner would "
     "be "
     "foreign.",
     non_blank<&Settings::owner>},
    {"grafana.url", a_url, "http://localhost:3000", false, "Where Grafana is, with its sub-path if it has one.",
     non_blank<&Settings::url>},
    {"grafana.auth.username", a_login, "", false,
     "Login of a Grafana server admin; its password is in grafana.auth.passwordFile.", non_blank<&Settings::username>},
    {"grafana.auth.passwordFile", a_file, "", false,
     "File that holds the password; a line end at its end is ignored. Read again when it changes.",
     non_blank<&Settings::password_file>},
    {"grafana.auth.tokenFile", a_file, "", false,
     "File that holds the key of a service account, instead of a login: for one organization, nothing server-wide.",
     non_blank<&Settings::token_file>},
    {"grafana.tls.caFile", a_file, "", false, "Certificates (PEM) to trust instead of the system's.",
     non_blank<&Settings::ca_file>},
    {"grafana.tls.certFile", a_file, "", false, "Client certificate (PEM), for a proxy that asks for one.",
     non_blank<&Settings::cert_file>},
    {"grafana.tls.keyFile", a_file, "", false, "Private key (PEM) of the client certificate.",
     non_blank<&Settings::key_file>},
    {"manifests.directory", a_directory, "", false,
     "Where the manifests are, unless they are in a git repository. A link to a directory (git-sync, ConfigMap) is "
     "resolved once a cycle.",
     non_blank<&Settings::manifests_directory>},
    {"manifests.git.url", a_repository, "", false,
     "The git repository of the manifests, instead of a directory. It is fetched into state.directory, by a process of "
     "its own; nothing in it is ever run.",
     non_blank<&Settings::git_url>},
    {"manifests.git.ref", a_ref, "HEAD", false,
     "A branch, a tag, a ref by its whole name, or a commit by its 40 digits.", non_blank<&Settings::git_ref>},
    {"manifests.git.path", a_path, "", false, "The folder of the manifests in the repository; all of it by default.",
     non_blank<&Settings::git_path>},
    {"manifests.git.pollInterval", a_duration, "60s", false,
     "How often the repository is asked. `graftd sync` asks at once.", duration<&Settings::git_poll_interval, 1>},
    {"manifests.git.timeout", a_duration, "60s", false, "How long one fetch may take.",
     duration<&Settings::git_timeout, 1>},
    {"manifests.git.auth.username", a_login, "", false,
     "The login that belongs to the token; most servers do not look at it (`git`).",
     non_blank<&Settings::git_username>},
    {"manifests.git.auth.tokenFile", a_file, "", false,
     "File that holds the token or password for http and https; read for every fetch.",
     non_blank<&Settings::git_token_file>},
    {"manifests.git.auth.sshKeyFile", a_file, "", false,
     "File that holds the private key for ssh: ed25519 or ecdsa, without a passphrase; read for every fetch.",
     non_blank<&Settings::git_ssh_key_file>},
    {"manifests.git.auth.knownHostsFile", a_file, "/etc/ssh/ssh_known_hosts", false,
     "The host keys of ssh servers; one that is not in it is refused.", non_blank<&Settings::git_known_hosts_file>},
    {"manifests.git.tls.caFile", a_file, "", false, "Certificates (PEM) to trust instead of the system's.",
     non_blank<&Settings::git_ca_file>},
    {"manifests.git.allowNonFastForward", a_truth, "false", false,
     "Also take a history that was rewritten, and a tag that was moved. Otherwise the last good commit stays in force.",
     yes_or_no<&Settings::git_allow_non_fast_forward>},
    {"manifests.git.allowedSignersFile", a_file, "", false,
     "Take only commits that an SSH key in this file has signed (ssh-keygen(1), ALLOWED SIGNERS; namespace git).",
     non_blank<&Settings::git_allowed_signers_file>},
    {"manifests.git.allowLocal", a_truth, "false", false,
     "Also fetch from a repository on this machine (a path or file://).", yes_or_no<&Settings::git_allow_local>},
    {"manifests.git.sizeLimit", a_number, "256", false,
     "How many MiB one fetch may bring, and about how many the copy may take.", number<&Settings::git_size_limit>},
    {"interval", a_duration, "60s", false,
     "How often the live state is compared, with 10 % jitter. A change of the manifests is seen within 2 s.",
     duration<&Settings::interval, 1>},
    {"state.directory", a_directory, "/var/lib/graftd/state", false,
     "What must survive a restart; ours alone. Never holds a key or a password.",
     non_blank<&Settings::state_directory>},
    {"tokens.directory", a_directory, "/var/lib/graftd/tokens", false, "Where the paths of `deliverTo: file` begin.",
     non_blank<&Settings::tokens_directory>},
    {"tokens.minimumGrace", a_duration, "5m", false,
     "A superseded token lives at least so long after its successor was delivered: at least twice the interval at "
     "which "
     "its users read the file.",
     duration<&Settings::minimum_grace, 0>},
    {"tokens.orphanAge", a_duration, "60s", false,
     "A token whose key was lost before delivery is deleted at this age, and a new one made.",
     duration<&Settings::orphan_age, 0>},
    {"kubernetes.url", a_url, "", false,
     "Where the Kubernetes API is, for `deliverTo: kubernetesSecret`. In a pod: the cluster that it runs in.",
     non_blank<&Settings::kubernetes_url>},
    {"kubernetes.caFile", a_file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", false,
     "Certificates (PEM) to trust. Where the default is no file, the system's are.",
     non_blank<&Settings::kubernetes_ca_file>},
    {"kubernetes.tokenFile", a_file, "/var/run/secrets/kubernetes.io/serviceaccount/token", false,
     "File that holds the bearer token; read for every request. Without such a file none is sent.",
     non_blank<&Settings::kubernetes_token_file>},
    {"vault.url", a_url, "", false, "Where HashiCorp Vault is, for `deliverTo: vault`.",
     non_blank<&Settings::vault_url>},
    {"vault.caFile", a_file, "", false, "Certificates (PEM) to trust instead of the system's.",
     non_blank<&Settings::vault_ca_file>},
    {"vault.namespace", a_name, "", false, "Namespace of Vault Enterprise.", non_blank<&Settings::vault_namespace>},
    {"vault.auth.tokenFile", a_file, "", false, "File that holds a Vault token; read for every request.",
     non_blank<&Settings::vault_token_file>},
    {"vault.auth.kubernetes.role", a_name, "", false,
     "Role of Vault's Kubernetes auth method to log in with, instead of a token.", non_blank<&Settings::vault_role>},
    {"vault.auth.kubernetes.mount", a_path, "kubernetes", false, "Where that auth method is mounted.",
     non_blank<&Settings::vault_login_mount>},
    {"vault.auth.kubernetes.jwtFile", a_file, "/var/run/secrets/kubernetes.io/serviceaccount/token", false,
     "File that holds the service account's token to log in with.", non_blank<&Settings::vault_jwt_file>},
    {"tokens.reissuesPerHour", a_number, "3", false,
     "How many times an hour one token is replaced without a plan (its file lost, its token deleted or revoked, a sink "
     "rolled back) before graftd stops and asks for a person. First keys and rotations do not count.",
     number<&Settings::reissues_per_hour>},
    {"tokens.reissuesPerMinute", a_number, "10", false,
     "How many tokens altogether are replaced without a plan within a minute; others wait.",
     number<&Settings::reissues_per_minute>},
    {"log.level", a_log_level, "info", false, "The least important events that are logged.", log_level},
    {"log.format", a_log_format, "logfmt", false, "The form of a log line on standard error.", log_format},
    {"suspend", a_truth, "false", false,
     "Compare only: cycles show what differs and change nothing, no token is rotated.", yes_or_no<&Settings::suspend>},
    {"http.listen", an_address, "127.0.0.1:9417", false,
     "Where the HTTP endpoint and the status page are. An address that others can reach needs http.tokenFile and "
     "http.tls, or http.allowRemote.",
     non_blank<&Settings::http_listen>},
    {"http.socket", a_socket, "/run/graftd/graftd.sock", false,
     "The same endpoint as a Unix socket for its owner, which `graftd status` and the others use. Where the directory "
     "of the default path does not exist, there is none.",
     non_blank<&Settings::http_socket>},
    {"http.hosts", some_names, "", false,
     "Further names by which the endpoint may be asked for (Host header), beside localhost and its address.",
     non_blank<&Settings::http_hosts>},
    {"http.tokenFile", a_file, "", false,
     "File that holds the bearer token for requests that change something. Without it they are off; on the Unix socket "
     "none is needed.",
     non_blank<&Settings::http_token_file>},
    {"http.tls.certFile", a_file, "", false, "Certificate chain (PEM) of the endpoint; with it, HTTPS only.",
     non_blank<&Settings::http_cert_file>},
    {"http.tls.keyFile", a_file, "", false, "Its private key (PEM).", non_blank<&Settings::http_key_file>},
    {"http.allowRemote", a_truth, "false", false,
     "Listen on an address that others can reach without token and TLS: where the network keeps strangers out.",
     yes_or_no<&Settings::http_allow_remote>},
    {"history.limit", a_number, "10000", false, "How many changes the history keeps.",
     number<&Settings::history_limit>},
    {"webhook.url", a_url, "", false, "Where events are sent to (docs/operating.md); link-local addresses are refused.",
     non_blank<&Settings::webhook_url>},
    {"webhook.secretFile", a_file, "", false,
     "File that holds the secret by which events are signed; two lines while it is replaced.",
     non_blank<&Settings::webhook_secret_file>},
    {"webhook.events", some_events, "drift,failure,rotation,expiry,hold,stopped", false, "Which events are sent.",
     webhook_events},
    {"config", a_file, "/etc/graftd/graftd.yaml", false, "This configuration file; a flag and a variable only.",
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
