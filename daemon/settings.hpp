// The settings of graftd: the values, and the one table that says of each its key, form, default and meaning. File,
// flag, environment, `--help`, docs/configuration.md, graftd.yaml(5), the completion of shells and the JSON Schema of
// the file all come from that table.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::daemon {

struct Settings {
  std::string owner;
  std::string url;
  std::string username, password_file, token_file;
  std::string ca_file, cert_file, key_file;
  std::string manifests_directory;
  std::string git_url, git_ref, git_path;
  std::chrono::seconds git_poll_interval{0}, git_timeout{0};
  std::string git_username, git_token_file, git_ssh_key_file, git_known_hosts_file, git_ca_file;
  std::string git_allowed_signers_file;
  bool git_allow_non_fast_forward = false, git_allow_local = false;
  std::size_t git_size_limit = 0;  // MiB
  std::chrono::seconds interval{0};
  std::string state_directory, tokens_directory;
  std::chrono::seconds minimum_grace{0}, orphan_age{0};
  std::size_t reissues_per_hour = 0, reissues_per_minute = 0;
  // Empty: not given. `in_cluster_url` is not set by anybody: it is what a pod's environment says.
  std::string kubernetes_url, in_cluster_url, kubernetes_ca_file, kubernetes_token_file;
  std::string vault_url, vault_ca_file, vault_namespace, vault_token_file;
  std::string vault_role, vault_login_mount, vault_jwt_file;
  std::string log_level, log_format;
  bool suspend = false;
  std::size_t history_limit = 0;
  std::string http_listen, http_socket;  // "none": not wanted
  std::string http_hosts;                // comma-separated
  std::string http_token_file, http_cert_file, http_key_file;
  bool http_allow_remote = false;
  std::string webhook_url, webhook_secret_file, webhook_events;
};

// What the text of a setting has to be: in words for people, and as a type for completion and schema.
struct Form {
  enum class Type : std::uint8_t { text, file, directory, duration, number, boolean, word, words };
  std::string_view name;  // "a file", "a duration"
  Type type = Type::text;
  std::span<const std::string_view> words = {};  // that a `word` is one of, and that `words`, by commas, are of
};

inline constexpr std::size_t largest_number = 1'000'000;  // of numbers; the least is 1

struct Setting {
  std::string_view key;  // "grafana.auth.passwordFile", as in the file
  Form form;
  std::string_view default_value;  // as one would write it; "" when there is none
  bool required = false;
  std::string_view description;
  Status (*store)(Settings& settings, const std::string& text);  // ErrorCode::invalid when the text has not the form
};

[[nodiscard]] std::span<const Setting> setting_table();

[[nodiscard]] std::string flag_of(std::string_view key);         // "--grafana-auth-password-file"
[[nodiscard]] std::string environment_of(std::string_view key);  // "GRAFTD_GRAFANA_AUTH_PASSWORD_FILE"

}  // namespace graft::daemon
