// Who may include whom (CONTRIBUTING.md): reads the include lines of lib/ and fails on a row broken.
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

using Row = std::set<std::string>;

// Folder → folders, and single headers, that its files may include; its own folder always.
const std::map<std::string, Row> table{
    {"base", {}},
    {"async", {"base"}},
    {"model", {"base"}},
    {"manifest", {"base", "model"}},
    {"plan", {"base", "model"}},
    {"source", {"base", "async", "manifest/decoder.hpp"}},
    {"git", {"base", "http", "source/memory_files.hpp", "manifest/limits.hpp"}},
    {"http", {"base", "async"}},
    {"grafana", {"base", "async", "model", "http"}},
    {"state", {"base", "model"}},
    {"events", {"base", "async", "model", "state", "http"}},
    {"sink", {"base", "async", "model", "http"}},
    {"token", {"base", "async", "model", "state", "sink", "grafana"}},
    {"kinds", {"base", "async", "model", "manifest", "grafana", "sink", "state", "token"}},
    {"reconcile", {"base", "async", "model", "manifest", "plan", "grafana", "kinds"}},
    {"status", {"base", "model", "plan", "state", "reconcile/report.hpp"}},
    {"metrics", {"base"}},
    {"admin", {"base", "async"}},
    {"supervise", {"base"}},
};

// Concrete transports, sinks and stores are the daemon's business.
const Row concrete{"http/beast_transport.hpp", "sink/file_sink.hpp",    "sink/kubernetes_sink.hpp",
                   "sink/vault_sink.hpp",      "sink/vault_access.hpp", "source/directory_source.hpp",
                   "git/git_source.hpp"};
// No I/O can be included where decisions are made.
const Row without_asio{"base", "model", "manifest", "plan", "state"};
const Row files_without_asio{"token/slot.hpp", "token/slot.cpp",      "token/name.hpp",
                             "token/name.cpp", "grafana/breaker.hpp", "grafana/breaker.cpp"};
// Headers that say at their head that they are for .cpp files only.
const Row json_headers{"model/json_fields.hpp", "grafana/json_fields.hpp", "kinds/objects.hpp"};

struct Include {
  std::string file, what;
  bool quoted;
};

std::vector<Include> includes_of(const fs::path& lib) {
  static const std::regex line_form(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(lib)) {
    if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);)
      if (std::regex_search(line, match, line_form))
        found.push_back({fs::relative(entry.path(), lib).string(), match[2], match[1] == "\""});
  }
  return found;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.find('/')); }

}  // namespace

TEST_CASE("every include between folders has its row in the table") {
  const std::vector<Include> includes = includes_of(fs::path(GRAFTD_SOURCE_DIR) / "lib");
  REQUIRE(includes.size() > 300);
  for (const Include& include : includes) {
    const std::string from = folder_of(include.file);
    CAPTURE(include.file);
    CAPTURE(include.what);
    if (include.quoted) {
      const std::string to = folder_of(include.what);
      REQUIRE(table.contains(from));
      const Row& row = table.at(from);
      CHECK((to == from || row.contains(to) || row.contains(include.what)));
      CHECK((to == from || !concrete.contains(include.what)));
      continue;
    }
    const bool asio = include.what.starts_with("boost/asio") || include.what.starts_with("boost/beast");
    CHECK_FALSE((asio && (without_asio.contains(from) || files_without_asio.contains(include.file))));
    const bool header = include.file.ends_with(".hpp");
    CHECK_FALSE((include.what == "nlohmann/json.hpp" && header && !json_headers.contains(include.file)));
    // libgit2 is given our own way over HTTP, in a process that has nothing else of it.
    const bool speaks_http = from == "http" || from == "admin" || include.file == "git/http_subtransport.cpp";
    CHECK_FALSE((include.what.starts_with("boost/beast") && !speaks_http));
  }
}

TEST_CASE("every folder of lib has a row") {
  for (const auto& entry : fs::directory_iterator(fs::path(GRAFTD_SOURCE_DIR) / "lib"))
    if (entry.is_directory()) CHECK(table.contains(entry.path().filename().string()));
}
