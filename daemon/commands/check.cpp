#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/manifest_source.hpp"
#include "kinds/decoders.hpp"
#include "manifest/loader.hpp"
#include "source/directory_source.hpp"

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

void add(Result<manifest::LoadResult> loaded, Checked& checked) {
  if (!loaded) {
    checked.diagnostics.error({}, loaded.error().describe());
    return;
  }
  checked.diagnostics.append(std::move(loaded->diagnostics));
  checked.documents += loaded->documents;
  if (loaded->state) checked.resources += loaded->state->resources.size();
}

Result<manifest::LoadResult> load_path(const std::string& path) {
  Result<std::unique_ptr<manifest::Files>> files = source::snapshot(path);
  if (!files) return fail(std::move(files.error()));
  return manifest::load(**files, kinds::all_decoders());
}

}  // namespace

int check_command(const Options& options, const ConfigSource& source) {
  std::vector<std::string> paths = options.paths;
  Checked checked;
  if (paths.empty() || options.config) {
    // Only then: where manifests are checked there need be no configuration, and no environment of one.
    LoadedConfig config = load_config(source, Need::manifests);
    print_diagnostics(config.diagnostics);
    if (config.diagnostics.has_errors()) return exit_bad_config;
    if (paths.empty() && config.settings.git_url.empty()) paths.push_back(config.settings.manifests_directory);
    if (paths.empty()) add(make_manifest_source(config.settings, {}, nullptr)->load(), checked);
  }
  for (const std::string& path : paths) add(load_path(path), checked);
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
