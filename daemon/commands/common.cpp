#include <cstdio>

#include "daemon/commands/commands.hpp"

namespace graft::daemon {

void print_diagnostics(const Diagnostics& diagnostics) {
  for (const Diagnostic& item : diagnostics.items()) std::fprintf(stderr, "%s\n", item.to_string().c_str());
}

std::optional<Settings> settings_or_complain(const ConfigSource& source) {
  LoadedConfig loaded = load_config(source, Need::everything);
  print_diagnostics(loaded.diagnostics);
  if (loaded.diagnostics.has_errors()) {
    std::fprintf(stderr, "graftd: the configuration has %zu error(s); nothing was done\n",
                 loaded.diagnostics.error_count());
    return std::nullopt;
  }
  return std::move(loaded.settings);
}

std::optional<Settings> settings_to_look(const ConfigSource& source) {
  LoadedConfig loaded = load_config(source, Need::running);
  print_diagnostics(loaded.diagnostics);
  if (!loaded.read) return std::nullopt;
  return std::move(loaded.settings);
}

}  // namespace graft::daemon
