// The manual pages, the completions and the schema of the configuration are generated from the tables; here it is seen
// that the files in the repository are what the tables say. `GRAFTD_TEST_UPDATE=1 test_manual` writes them.
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "daemon/completion.hpp"
#include "daemon/config.hpp"
#include "daemon/config_schema.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/manual.hpp"
#include "daemon/manual_text.hpp"
#include "daemon/options.hpp"
#include "daemon/settings.hpp"
#include "kinds/decoders.hpp"
#include "metrics/table.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using namespace graft::daemon;

namespace {

const std::filesystem::path root = GRAFTD_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void compare(const std::string& name, const std::string& expected) {
  if (std::getenv("GRAFTD_TEST_UPDATE") != nullptr) std::ofstream(root / name) << expected;
  const bool same = text_of(root / name) == expected;
  CHECK_MESSAGE(same, name, " is not what the tables say; GRAFTD_TEST_UPDATE=1 writes it");
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the files are what the tables say") {
  compare("docs/man/graftd.8", manual_of_program());
  compare("docs/man/graftd.yaml.5", manual_of_configuration());
  compare("docs/man/graftd-manifest.5", manual_of_manifests(text_of(root / "config/examples/tutorial/apiorg.yaml")));
  const Result<std::string> metrics = manual_of_metrics(text_of(root / "deploy/prometheus/graftd.rules.yaml"));
  REQUIRE(metrics);
  compare("docs/man/graftd-metrics.7", *metrics);
  compare("deploy/completion/graftd.bash", bash_completion());
  compare("deploy/completion/_graftd", zsh_completion());
  compare("deploy/completion/graftd.fish", fish_completion());
  compare("config/schema/graftd.schema.json", configuration_schema());
}

TEST_CASE("every command and every flag is in its help and in graftd(8)") {
  const std::string page = manual_of_program();
  for (const Command& command : command_table()) {
    CAPTURE(std::string(command.name));
    const std::string help = help_text(command.name);
    CHECK(holds(help_text(""), "  " + std::string(command.name) + " "));
    CHECK(holds(page, ".It Cm " + mdoc::words(command.name)));
    for (const Flag& flag : flag_table()) {
      CAPTURE(std::string(flag.name));
      const std::string name(flag.name);
      CHECK(holds(help, "--" + name + " ") == has_flag(command.name, flag));
      CHECK(holds(page, "Fl -" + name));
    }
    for (const Setting& setting : setting_table())
      CHECK(holds(help, "  " + flag_of(setting.key) + " <") == command.settings);
  }
  for (const ExitCodeRow& row : exit_code_table) CHECK(holds(page, ".It " + std::to_string(row.code) + "\n"));
}

TEST_CASE("every setting, every field and every metric is in its page") {
  const std::string page = manual_of_program(), settings = manual_of_configuration();
  for (const Setting& setting : setting_table()) {
    CAPTURE(std::string(setting.key));
    CHECK(holds(page, ".It Fl " + flag_of(setting.key).substr(1) + " "));
    CHECK(holds(page, ".Ev " + environment_of(setting.key)));
    CHECK(holds(settings, ".It Ic " + mdoc::word(setting.key) + " "));
  }
  const std::string manifests = manual_of_manifests("");
  for (const manifest::Decoder* decoder : kinds::all_decoders()) {
    CHECK(holds(manifests, ".Ss " + std::string(decoder->kind().text()) + "\n"));
    for (const manifest::FieldDoc& field : decoder->fields())
      CHECK(holds(manifests, ".It Ic " + mdoc::word(field.name) + " "));
  }
  const std::string metrics_page = *manual_of_metrics(text_of(root / "deploy/prometheus/graftd.rules.yaml"));
  for (const metrics::Metric& metric : metrics::table)
    CHECK(holds(metrics_page, ".It Va " + std::string(metric.name) + " "));
  CHECK(holds(metrics_page, ".It Ic GraftdDown Pq critical\n"));
}

TEST_CASE("a text that holds no alerting rules gives no page of metrics") {
  CHECK_FALSE(manual_of_metrics("groups: []\n"));
  CHECK_FALSE(manual_of_metrics(": not YAML"));
}

TEST_CASE("the configuration that graftd.yaml(5) shows is sound") {
  const test::TemporaryDirectory directory;
  directory.write("graftd.yaml", std::string(example_configuration()));
  ConfigSource source;
  source.file = directory / "graftd.yaml";
  source.environment = {{"CREDENTIALS_DIRECTORY", "/run/credentials"}};
  const LoadedConfig loaded = load_config(source, Need::everything);
  for (const Diagnostic& item : loaded.diagnostics.items()) FAIL_CHECK(item.to_string());
}
