// The settings of graftd: the values, and the one table that says of each its key, form, default and meaning. File,
// flag, environment, `--help` and docs/configuration.md all come from that table.
#pragma once

#include <chrono>
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

struct Setting {
  std::string_view key;            // "grafana.auth.passwordFile", as in the file
  std::string_view form;           // "a file", "a duration": for help and documentation
  std::string_view default_value;  // as one would write it; "" when there is none
  bool required = false;
  std::string_view description;
  Status (*store)(Settings& settings, const std::string& text);  // ErrorCode::invalid when the text has not the form
};

[[nodiscard]] std::span<const Setting> setting_table();

[[nodiscard]] std::string flag_of(std::string_view key);         // "--grafana-auth-password-file"
[[nodiscard]] std::string environment_of(std::string_view key);  // "GRAFTD_GRAFANA_AUTH_PASSWORD_FILE"

}  // namespace graft::daemon
