#include "daemon/config.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <unistd.h>

#include "base/text.hpp"
#include "git/url.hpp"
#include "manifest/reader.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX says that the program declares it

namespace graft::daemon {

namespace {

constexpr std::string_view config_key = "config";
constexpr std::size_t config_size_limit = 1U << 20U;

std::vector<std::string_view> file_keys() {
  std::vector<std::string_view> keys;
  for (const Setting& setting : setting_table())
    if (setting.key != config_key) keys.push_back(setting.key);
  return keys;
}

// Walks the maps of the file; leaves become values, everything else is an error where it stands.
class FileWalker {
 public:
  explicit FileWalker(Diagnostics& diagnostics) : diagnostics_(diagnostics), keys_(file_keys()) {}

  void walk(const std::string& prefix, const manifest::Node& node) {
    for (const auto& [name, value] : node.entries) {
      const std::string key = prefix.empty() ? name.scalar : prefix + "." + name.scalar;
      if (std::ranges::find(keys_, key) != keys_.end()) {
        take(key, value);
      } else if (is_group(key) && value.type == manifest::Node::Type::map) {
        walk(key, value);
      } else if (is_group(key)) {
        diagnostics_.error(value.at, fmt::format("{} must be a map", key));
      } else {
        unknown(key, name.at);
      }
    }
  }

  std::map<std::string, FileValue> values;

 private:
  bool is_group(const std::string& key) const {
    return std::ranges::any_of(keys_, [&](std::string_view known) { return known.starts_with(key + "."); });
  }

  void take(const std::string& key, const manifest::Node& value) {
    using Type = manifest::Node::Type;
    if (value.type == Type::map || value.type == Type::sequence || value.type == Type::null) {
      diagnostics_.error(value.at, fmt::format("{} must be a text, not {}", key, manifest::Node::word(value.type)));
      return;
    }
    values[key] = {value.scalar, value.at};
  }

  void unknown(const std::string& key, const Position& at) {
    const auto meant = did_you_mean(key, keys_);
    diagnostics_.error(at, fmt::format("unknown setting {}", quote(key)),
                       meant ? fmt::format("did you mean {}?", *meant) : "docs/configuration.md lists all settings");
  }

  Diagnostics& diagnostics_;
  std::vector<std::string_view> keys_;
};

// ${NAME} is the environment's; an unset one is an error.
std::optional<std::string> expand(const FileValue& value, const Environment& environment, Diagnostics& diagnostics) {
  std::string out;
  for (std::size_t at = 0; at < value.text.size();) {
    const std::size_t begin = value.text.find("${", at);
    out += value.text.substr(at, begin == std::string::npos ? std::string::npos : begin - at);
    if (begin == std::string::npos) return out;
    const std::size_t end = value.text.find('}', begin);
    const std::string name = end == std::string::npos ? "" : value.text.substr(begin + 2, end - begin - 2);
    const auto found = environment.find(name);
    if (found == environment.end()) {
      diagnostics.error(value.at, end == std::string::npos
                                      ? "\"${\" has no closing brace"
                                      : fmt::format("environment variable {} is not set", quote(name)));
      return std::nullopt;
    }
    out += found->second;
    at = end + 1;
  }
  return out;
}

void refuse_unknown_variables(const Environment& environment, Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const Setting& setting : setting_table()) known.push_back(environment_of(setting.key));
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const auto& [name, value] : environment) {
    // Kubernetes sets GRAFTD_SERVICE_… and GRAFTD_PORT… beside a Service named graftd; GRAFTD_TEST_… is the tests'.
    const bool foreign = !name.starts_with("GRAFTD_") || name.starts_with("GRAFTD_SERVICE_") ||
                         name.starts_with("GRAFTD_PORT") || name.starts_with("GRAFTD_TEST_");
    if (foreign || std::ranges::find(names, name) != names.end()) continue;
    const auto meant = did_you_mean(name, names);
    diagnostics.error({}, fmt::format("environment variable {} is no setting of graftd", name),
                      meant ? fmt::format("did you mean {}?", *meant) : "docs/configuration.md lists all settings");
  }
}

std::string chosen_file(const ConfigSource& source) {
  if (source.file) return *source.file;
  if (const auto found = source.environment.find(environment_of(config_key)); found != source.environment.end())
    return found->second;
  const std::string usual(setting_table().back().default_value);
  std::error_code ignored;
  return std::filesystem::exists(usual, ignored) ? usual : std::string();
}

std::map<std::string, FileValue> read_file(const std::string& path, Diagnostics& diagnostics) {
  if (path.empty()) return {};
  const Position at{std::make_shared<const std::string>(path), 0, 0};
  std::error_code error;
  std::ifstream file;  // a FIFO or a device would be read without an end
  if (std::filesystem::is_regular_file(path, error)) file.open(path, std::ios::binary);
  std::string text;
  if (file.is_open()) text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file.is_open()) {
    diagnostics.error(at, "the configuration file cannot be read",
                      fmt::format("as user {}; is the path right?", geteuid()));
    return {};
  }
  if (text.size() > config_size_limit) {
    diagnostics.error(at, "the configuration file is larger than 1 MiB");
    return {};
  }
  return read_config_text(text, path, diagnostics);
}

// The credentials are of one of two kinds, and whole.
void check_credentials(const Settings& settings, Diagnostics& diagnostics) {
  const bool login = !settings.username.empty() || !settings.password_file.empty();
  const bool key = !settings.token_file.empty();
  if (login && key) {
    diagnostics.error({}, "grafana.auth has both a login and a tokenFile", "keep one of them");
  } else if (!login && !key) {
    diagnostics.error({},
                      "no credentials: grafana.auth.username and grafana.auth.passwordFile are needed, or "
                      "grafana.auth.tokenFile");
  } else if (login && settings.username.empty()) {
    diagnostics.error({}, "grafana.auth.passwordFile without grafana.auth.username");
  } else if (login && settings.password_file.empty()) {
    diagnostics.error({}, "grafana.auth.username without grafana.auth.passwordFile",
                      "a password is given by a file only, never by a flag or the environment");
  }
  if (settings.username.find(':') != std::string::npos)
    diagnostics.error({}, "grafana.auth.username must not hold a colon", "a login over HTTP ends at the first colon");
  if (settings.cert_file.empty() != settings.key_file.empty())
    diagnostics.error({}, "grafana.tls.certFile and grafana.tls.keyFile go together");
}

// In a directory or in a repository, and what is said of a repository fits.
void check_manifests(const Settings& settings, Diagnostics& diagnostics) {
  const bool directory = !settings.manifests_directory.empty(), git = !settings.git_url.empty();
  if (!directory && !git)
    diagnostics.error({}, "setting manifests.directory is required (or manifests.git.url)",
                      fmt::format("in the file, as {} or as {}", flag_of("manifests.directory"),
                                  environment_of("manifests.directory")));
  if (directory && git)
    diagnostics.error({}, "manifests are in a directory and in a git repository",
                      "keep manifests.directory or manifests.git");
  if (!git) return;
  if (Status allowed = git::check_url(settings.git_url, settings.git_allow_local); !allowed)
    diagnostics.error({}, "manifests.git.url: " + allowed.error().message, allowed.error().hint);
  if (!settings.git_token_file.empty() && git::is_in_the_clear(settings.git_url))
    diagnostics.error({}, "manifests.git.auth.tokenFile with an http url would send the token in the clear",
                      "write https");
  if (git::is_ssh(settings.git_url) && settings.git_ssh_key_file.empty())
    diagnostics.error({}, "manifests.git.url is reached by ssh, which needs manifests.git.auth.sshKeyFile");
  if (settings.git_ref.starts_with('-') || settings.git_ref.find_first_of(" ~^:?*[\\") != std::string::npos)
    diagnostics.error({}, fmt::format("manifests.git.ref: {} is no name of a branch or tag", quote(settings.git_ref)));
}

// Vault is reached by one way or not at all.
void check_vault(const Settings& settings, Diagnostics& diagnostics) {
  const bool token = !settings.vault_token_file.empty(), login = !settings.vault_role.empty();
  if (token && login) {
    diagnostics.error({}, "vault.auth has both a tokenFile and a Kubernetes role", "keep one of them");
  } else if (!settings.vault_url.empty() && !token && !login) {
    diagnostics.error({}, "vault.url without credentials",
                      "vault.auth.tokenFile or vault.auth.kubernetes.role is needed");
  } else if (settings.vault_url.empty() && (token || login)) {
    diagnostics.error({}, "vault.auth without vault.url");
  }
}

void check_endpoint(const Settings& settings, Diagnostics& diagnostics) {
  if (settings.http_cert_file.empty() != settings.http_key_file.empty())
    diagnostics.error({}, "http.tls.certFile and http.tls.keyFile go together");
  if (settings.webhook_url.empty() != settings.webhook_secret_file.empty())
    diagnostics.error({}, "webhook.url and webhook.secretFile go together",
                      "events are signed, so that their receiver can tell them from others'");
}

// The cluster that we run in, as client-go finds it; "" outside of a pod.
std::string in_cluster_url(const Environment& environment) {
  const auto host = environment.find("KUBERNETES_SERVICE_HOST"), port = environment.find("KUBERNETES_SERVICE_PORT");
  if (host == environment.end() || port == environment.end() || host->second.empty()) return {};
  const bool v6 = host->second.find(':') != std::string::npos;
  return fmt::format("https://{}{}{}:{}", v6 ? "[" : "", host->second, v6 ? "]" : "", port->second);
}

bool is_needed(std::string_view key, Need need) {
  if (need == Need::manifests) return key.starts_with("manifests.") || key == "state.directory";
  if (need == Need::running) return key == "http.socket" || key == "state.directory";
  return true;
}

struct Chosen {
  std::string text;
  Position at;
  std::string where;  // for messages: the flag or variable
};

std::optional<Chosen> choose(const Setting& setting, const ConfigSource& source,
                             const std::map<std::string, FileValue>& from_file, Diagnostics& diagnostics) {
  const std::string key(setting.key);
  if (const auto flag = source.flags.find(key); flag != source.flags.end())
    return Chosen{flag->second, {}, flag_of(key)};
  const std::string variable = environment_of(key);
  if (const auto found = source.environment.find(variable); found != source.environment.end())
    return Chosen{found->second, {}, variable};
  if (const auto found = from_file.find(key); found != from_file.end()) {
    std::optional<std::string> text = expand(found->second, source.environment, diagnostics);
    if (!text) return std::nullopt;
    return Chosen{std::move(*text), found->second.at, key};
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, FileValue> read_config_text(const std::string& text, const std::string& file,
                                                  Diagnostics& diagnostics) {
  const auto name = std::make_shared<const std::string>(file);
  FileWalker walker(diagnostics);
  std::size_t documents = 0;
  (void)manifest::read_yaml(text, name, diagnostics, [&](manifest::Node&& document) {
    if (++documents > 1) {
      diagnostics.error(document.at, "a configuration is one document");
    } else if (document.type != manifest::Node::Type::map) {
      diagnostics.error(document.at, "the configuration must be a map of settings");
    } else {
      walker.walk("", document);
    }
  });
  return std::move(walker.values);
}

LoadedConfig load_config(const ConfigSource& source, Need need) {
  LoadedConfig loaded;
  Diagnostics& diagnostics = loaded.diagnostics;
  refuse_unknown_variables(source.environment, diagnostics);
  loaded.file = chosen_file(source);
  const std::map<std::string, FileValue> from_file = read_file(loaded.file, diagnostics);
  std::error_code unreadable;
  loaded.read = loaded.file.empty() ||
                (std::filesystem::is_regular_file(loaded.file, unreadable) && ::access(loaded.file.c_str(), R_OK) == 0);
  bool manifests_unclear = false;
  for (const Setting& setting : setting_table()) {
    if (setting.key == config_key) continue;
    if (!is_needed(setting.key, need)) continue;
    const std::size_t errors = diagnostics.error_count();
    std::optional<Chosen> chosen = choose(setting, source, from_file, diagnostics);
    if (!chosen && diagnostics.error_count() > errors) {
      manifests_unclear = manifests_unclear || setting.key.starts_with("manifests.");
      continue;
    }
    if (!chosen && setting.default_value.empty()) {
      if (setting.required)
        diagnostics.error(
            {}, fmt::format("setting {} is required", setting.key),
            fmt::format("in the file, as {} or as {}", flag_of(setting.key), environment_of(setting.key)));
      continue;
    }
    if (!chosen) chosen = Chosen{std::string(setting.default_value), {}, std::string(setting.key)};
    if (Status stored = setting.store(loaded.settings, chosen->text); !stored) {
      diagnostics.error(chosen->at, fmt::format("{}: {}", chosen->where, stored.error().message), stored.error().hint);
      manifests_unclear = manifests_unclear || setting.key.starts_with("manifests.");
    }
  }
  loaded.settings.in_cluster_url = in_cluster_url(source.environment);
  if (need != Need::running && !manifests_unclear) check_manifests(loaded.settings, diagnostics);
  if (need == Need::everything && !diagnostics.has_errors()) {
    check_credentials(loaded.settings, diagnostics);
    check_vault(loaded.settings, diagnostics);
    check_endpoint(loaded.settings, diagnostics);
  }
  diagnostics.sort();
  return loaded;
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return environment;
}

}  // namespace graft::daemon
