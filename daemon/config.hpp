// From file, environment and flags to Settings, or to everything that is wrong with them at once. flag > environment >
// file > default. Pure but for reading the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

using Environment = std::map<std::string, std::string>;

struct ConfigSource {
  std::optional<std::string> file;           // --config; nullopt: GRAFTD_CONFIG, or the default path when it is there
  std::map<std::string, std::string> flags;  // by key: "grafana.url"
  Environment environment;
};

struct LoadedConfig {
  Settings settings;  // meaningful when there are no errors
  std::string file;   // the file that was read; "" for none
  bool read = true;   // false: it could not be
  Diagnostics diagnostics;
};

// `check` needs to know where the manifests are, `status` and its kin where a running graftd is to be found: nothing
// else of the settings has to be right for them, and no credential has to be there.
enum class Need : std::uint8_t { manifests, running, everything };

[[nodiscard]] LoadedConfig load_config(const ConfigSource& source, Need need);

// The values of a configuration text by key, each with its place; `${NAME}` not yet replaced.
struct FileValue {
  std::string text;
  Position at;
};
[[nodiscard]] std::map<std::string, FileValue> read_config_text(const std::string& text, const std::string& file,
                                                                Diagnostics& diagnostics);

[[nodiscard]] Environment process_environment();

}  // namespace graft::daemon
