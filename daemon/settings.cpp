#include "daemon/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
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

constexpr std::array<Setting, 17> table{{
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
    {"log.level", "debug, info, warning or error", "info", false, "The least important events that are logged.",
     log_level},
    {"log.format", "logfmt or json", "logfmt", false, "The form of a log line on standard error.", log_format},
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
