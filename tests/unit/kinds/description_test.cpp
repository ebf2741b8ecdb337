// The schemas and the reference are generated from the tables; here it is seen that the files in the repository are
// what the tables say. `GRAFTD_TEST_UPDATE=1 test_unit_kinds` writes them.
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "unit/kinds/loading.hpp"

using namespace graft;

namespace {

std::string path_of(const std::string& name) { return std::string(GRAFTD_SOURCE_DIR "/") + name; }

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void compare(const std::string& path, const std::string& expected) {
  if (std::getenv("GRAFTD_TEST_UPDATE") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(text_of(path) == expected, path, " is not what the tables say; GRAFTD_TEST_UPDATE=1 writes it");
}

constexpr std::string_view begin_mark = "<!-- generated: fields -->\n", end_mark = "<!-- end of generated -->\n";

}  // namespace

TEST_CASE("docs/manifests.md holds the reference of the tables") {
  const std::string path = path_of("docs/manifests.md");
  const std::string text = text_of(path);
  const std::size_t begin = text.find(begin_mark), end = text.find(end_mark);
  REQUIRE(begin != text.npos);
  REQUIRE(end != text.npos);
  compare(path, text.substr(0, begin) + std::string(begin_mark) + "\n" + kinds::manifest_reference() + "\n" +
                    text.substr(end));
}

TEST_CASE("config/schema holds the schema of every kind, and one for all") {
  compare(path_of("config/schema/manifest.schema.json"), kinds::document_schema());
  for (const manifest::Decoder* decoder : kinds::all_decoders()) {
    const std::string kind(decoder->kind().text());
    compare(path_of("config/schema/" + kind + ".schema.json"), kinds::document_schema(*decoder));
  }
}

TEST_CASE("a schema knows the fields, what is required, and what may be nested") {
  const auto schema = nlohmann::json::parse(kinds::document_schema(*kinds::all_decoders().front()));
  const auto& spec = schema["properties"]["spec"];
  CHECK(spec["additionalProperties"] == false);
  CHECK(spec["properties"].contains("members"));
  const auto& account = spec["properties"]["serviceAccounts"]["items"];
  CHECK(account["required"] == nlohmann::json({"role", "name"}));
  const auto& token = account["properties"]["tokens"]["items"];
  CHECK(token["properties"]["ttl"]["default"] == "30d");
  CHECK(token["properties"]["deliverTo"]["items"]["properties"]["file"]["required"] == nlohmann::json({"path"}));
  const auto& entry = token["properties"]["deliverTo"]["items"];
  CHECK(entry["oneOf"].size() == 3);
  CHECK(entry["additionalProperties"] == false);
  CHECK(entry["properties"]["kubernetesSecret"]["required"] == nlohmann::json({"namespace", "name"}));
  CHECK(entry["properties"]["vault"]["properties"]["mount"]["default"] == "secret");
  CHECK(schema["properties"]["metadata"]["required"] == nlohmann::json({"name"}));
  CHECK_FALSE(schema["properties"]["metadata"]["properties"].contains("organization"));
}
