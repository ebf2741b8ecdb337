#include "schema/judge.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

namespace {

using nlohmann::json;

constexpr auto replaced = json::error_handler_t::replace;

Judgement judgement_of(const json& answer) {
  return {answer.at("valid").get<bool>(), answer.at("documents").get<std::size_t>(),
          answer.at("why").get<std::string>(), answer.at("keywords").get<std::set<std::string>>()};
}

}  // namespace

Judgements judge(const std::string& schema, bool manifests, const std::vector<Case>& cases) {
  const std::string path = GRAFTD_SOURCE_DIR "/config/schema/" + schema;
  std::string lines;
  for (const Case& each : cases)
    lines +=
        json{{"schema", path}, {"manifests", manifests}, {"files", each.files}}.dump(-1, ' ', true, replaced) + "\n";
  const TemporaryDirectory directory;
  directory.write("cases", lines);
  test_support::Process python({"/bin/sh", "-c", "/usr/bin/python3 \"$0\" < \"$1\"",
                                GRAFTD_SOURCE_DIR "/tests/schema/validate.py", directory / "cases"},
                               directory.path().string());
  const int code = python.wait();
  REQUIRE_MESSAGE(code == 0, "are python3-jsonschema and python3-yaml installed? ", python.err());
  std::istringstream answers(python.out());
  std::string line;
  std::getline(answers, line);
  Judgements out;
  out.keywords = json::parse(line).at(path).get<std::set<std::string>>();
  while (std::getline(answers, line)) out.each.push_back(judgement_of(json::parse(line)));
  REQUIRE(out.each.size() == cases.size());
  return out;
}

std::vector<Case> recorded_by(const std::string& program, const std::string& source_files) {
  const TemporaryDirectory directory;
  test_support::Process tests({std::string(GRAFTD_BIN_DIR "/") + program, "--source-file=" + source_files},
                              directory.path().string(), {{"GRAFTD_TEST_RECORD", directory / "record"}});
  CHECK(tests.wait() == 0);
  std::istringstream lines(directory.read("record"));
  std::vector<Case> cases;
  for (std::string line; std::getline(lines, line);) {
    const json each = json::parse(line);
    cases.push_back({program + " " + std::to_string(cases.size()),
                     each.at("files").get<std::map<std::string, std::string>>(),
                     each.at("errors").get<std::vector<std::string>>()});
  }
  return cases;
}

}  // namespace graft::test
