// docs/metrics.md is what the table says, and what is shipped for Prometheus and Grafana speaks of metrics that exist.
// `GRAFTD_TEST_UPDATE=1 test_unit_metrics` writes the document.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "metrics/reference.hpp"
#include "metrics/table.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
namespace fs = std::filesystem;

namespace {

const fs::path root = GRAFTD_SOURCE_DIR;
const fs::path rules = root / "deploy/prometheus/graftd.rules.yaml";
const fs::path rule_tests = root / "deploy/prometheus/graftd.rules.test.yaml";

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> matches_in(const std::string& text, const std::string& form) {
  const std::regex regex(form);
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.push_back((*match)[match->size() - 1]);
  return found;
}

// A series of a histogram by the name of its metric.
std::string without_suffix(std::string name) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

bool in_table(const std::string& name) {
  return std::ranges::any_of(metrics::table, [&](const metrics::Metric& metric) {
    return metric.name == name || (metric.type == metrics::Type::histogram && metric.name == without_suffix(name));
  });
}

// The anchors that a Markdown document offers: "## When something is wrong" is when-something-is-wrong.
std::set<std::string> anchors_of(const fs::path& document) {
  std::set<std::string> anchors;
  for (const std::string& heading : matches_in(text_of(document), "(?:^|\n)#+ ([^\n]+)")) {
    std::string anchor;
    for (const char c : heading) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_')
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (c == ' ') anchor += '-';
    }
    anchors.insert(anchor);
  }
  return anchors;
}

void check_promtool(const std::string& what, const fs::path& file) {
  const test::TemporaryDirectory directory;
  test_support::Process promtool({"/bin/sh", "-c", "promtool " + what + " \"$0\"", file.string()},
                                 directory.path().string());
  const int code = promtool.wait();
  REQUIRE_MESSAGE(code != 127, "promtool is missing; it comes with Debian's package prometheus");
  const std::string said = promtool.out() + promtool.err();
  CHECK_MESSAGE(code == 0, said);
  CHECK_MESSAGE(said.find("FAILED") == std::string::npos, said);
}

}  // namespace

TEST_CASE("docs/metrics.md is what the table says") {
  const std::string expected = metrics::metrics_reference();
  const fs::path path = root / "docs/metrics.md";
  if (std::getenv("GRAFTD_TEST_UPDATE") != nullptr) std::ofstream(path) << expected;
  const bool same = text_of(path) == expected;
  CHECK_MESSAGE(same, "docs/metrics.md is not what the table says; GRAFTD_TEST_UPDATE=1 writes it");
}

TEST_CASE("promtool takes the alert rules, and each fires when it should and only then") {
  check_promtool("check rules", rules);
  check_promtool("test rules", rule_tests);
}

TEST_CASE("every alert has tests of its firing and of its silence, a severity, and says what to do next") {
  const std::string text = text_of(rules), tests = text_of(rule_tests);
  const std::vector<std::string> alerts = matches_in(text, "- alert: (\\w+)");
  REQUIRE(alerts.size() >= 8);
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    CAPTURE(alerts[i]);
    const std::size_t begin = text.find("- alert: " + alerts[i] + "\n");
    const std::string rule = text.substr(begin, text.find("- alert: ", begin + 1) - begin);
    for (const char* part : {"severity: ", "summary: ", "description: ", "runbook: docs/"}) {
      CAPTURE(std::string(part));
      CHECK(rule.find(part) != std::string::npos);
    }
    const std::string cases = "alertname: " + alerts[i] + "\n";
    CHECK_FALSE(matches_in(tests, cases + " +exp_alerts:\n").empty());
    CHECK_FALSE(matches_in(tests, cases + " +exp_alerts: \\[\\]").empty());
  }
}

TEST_CASE("the anchors that alerts point to are there") {
  const std::string text = text_of(rules);
  const std::vector<std::string> links = matches_in(text, "runbook: (docs/[^\n]+)");
  REQUIRE_FALSE(links.empty());
  for (const std::string& link : links) {
    CAPTURE(link);
    const std::size_t hash = link.find('#');
    REQUIRE(hash != std::string::npos);
    CHECK(anchors_of(root / link.substr(0, hash)).contains(link.substr(hash + 1)));
  }
}

TEST_CASE("rules and dashboard speak of metrics that exist") {
  std::vector<fs::path> files{rules, rule_tests};
  for (const auto& entry : fs::recursive_directory_iterator(root / "deploy/grafana")) files.push_back(entry.path());
  std::set<std::string> named;
  for (const fs::path& file : files)
    for (const std::string& name : matches_in(text_of(file), "\\b((?:graftd|process)_[a-z_]*[a-z])\\b")) {
      CAPTURE(file.string());
      CAPTURE(name);
      CHECK(in_table(name));
      named.insert(name);
    }
  CHECK(named.size() >= 25);
}
