#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/manifest_source.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;

json as_json(const Diagnostics& diagnostics) {
  json items = json::array();
  for (const Diagnostic& item : diagnostics.items())
    items.push_back({{"severity", to_string(item.severity)},
                     {"file", item.at.file ? *item.at.file : ""},
                     {"line", item.at.line},
                     {"column", item.at.column},
                     {"message", item.message},
                     {"hint", item.hint}});
  return items;
}

struct Checked {
  std::size_t resources = 0, documents = 0;
  Diagnostics diagnostics;
};

void check_path(const std::string& path, Checked& checked) {
  ManifestSource source(path);
  Result<manifest::LoadResult> loaded = source.load();
  if (!loaded) {
    checked.diagnostics.error({}, loaded.error().describe());
    return;
  }
  checked.diagnostics.append(loaded->diagnostics);
  checked.documents += loaded->documents;
  if (loaded->state) checked.resources += loaded->state->resources.size();
}

}  // namespace

int check_command(const Options& options, const ConfigSource& source) {
  LoadedConfig config = load_config(source, Need::nothing);
  if (config.diagnostics.has_errors()) {
    print_diagnostics(config.diagnostics);
    return exit_bad_config;
  }
  std::vector<std::string> paths = options.paths;
  if (paths.empty()) paths.push_back(config.settings.manifests_directory);
  Checked checked;
  for (const std::string& path : paths) check_path(path, checked);
  const bool sound = !checked.diagnostics.has_errors();
  if (options.output == Output::json) {
    const json document{{"ok", sound}, {"resources", checked.resources}, {"diagnostics", as_json(checked.diagnostics)}};
    std::puts(document.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    return sound ? exit_ok : exit_bad_manifests;
  }
  print_diagnostics(checked.diagnostics);
  if (sound) {
    std::puts(fmt::format("{} resources in {} documents: no errors", checked.resources, checked.documents).c_str());
  } else {
    std::fputs(fmt::format("{} errors\n", checked.diagnostics.error_count()).c_str(), stderr);
  }
  return sound ? exit_ok : exit_bad_manifests;
}

}  // namespace graft::daemon
