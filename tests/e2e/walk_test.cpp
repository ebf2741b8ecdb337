// docs/operating.md, "From red to the cause": every command of it is run in the situation that it is about, and what it
// shows is what the document says. "…" stands for anything.
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <signal.h>
#include <sstream>
#include <thread>

#include "e2e/graftd.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;
using std::chrono::seconds;
using test_support::eventually;

namespace {

struct Shown {  // one command of the document, and what it shows
  std::string command;
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Commands by the heading that they stand under.
std::map<std::string, std::vector<Shown>> walk() {
  std::ifstream file(GRAFTD_SOURCE_DIR "/docs/operating.md");
  std::map<std::string, std::vector<Shown>> made;
  std::string heading;
  bool inside = false, block = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## From red to the cause";
    if (!inside) continue;
    if (line.starts_with("### ")) heading = line.substr(4);
    if (line.starts_with("```")) {
      block = line == "```console";
    } else if (block && line.starts_with("$ ")) {
      made[heading].push_back({line.substr(2), {}});
    } else if (block && !made[heading].empty()) {
      made[heading].back().lines.push_back(line);
    }
  }
  return made;
}

// Whether `shown`, in which "…" stands for anything, is how `line` reads.
bool reads_as(const std::string& line, const std::string& shown) {
  static const std::string gap = "…";
  std::size_t at = 0, from = 0;
  for (bool first = true;; first = false) {
    const std::size_t end = shown.find(gap, from);
    const std::string piece = shown.substr(from, end == std::string::npos ? end : end - from);
    if (end == std::string::npos)
      return first ? line == piece : line.size() >= at + piece.size() && line.ends_with(piece);
    const std::size_t found = line.find(piece, at);
    if (found == std::string::npos || (first && found != 0)) return false;
    at = found + piece.size();
    from = end + gap.size();
  }
}

// Every shown line is there, in the order shown; lines may stand between them where a line of "…" says so.
std::string missing(const std::string& output, const std::vector<std::string>& shown) {
  const std::vector<std::string> lines = lines_of(output);
  std::size_t at = 0;
  for (const std::string& want : shown) {
    if (want == "…") continue;
    while (at < lines.size() && !reads_as(lines[at], want)) ++at;
    if (at == lines.size()) return want;
    ++at;
  }
  return {};
}

class Walk {
 public:
  Walk() : daemon_(nullptr) { graftd.configure("interval: 1s\n"); }
  ~Walk() {
    if (daemon_) daemon_->signal(SIGTERM);
  }
  void start() { daemon_ = graftd.start({"run"}); }
  void start_converged() {
    start();
    REQUIRE(eventually([&] { return state() == "converged"; }));
  }
  [[nodiscard]] std::string state() const {
    const json status = graftd.document("/api/v1/status");
    return status.is_object() ? status.at("state").get<std::string>() : std::string();
  }
  [[nodiscard]] bool problem(const std::string& text) const {
    const json status = graftd.document("/api/v1/status");
    return status.is_object() && status.at("problems").dump().find(text) != std::string::npos;
  }

  // What a command of the document shows. graftd is the real one; curl asks the real endpoint; the journal is the log.
  [[nodiscard]] std::string run(const std::string& command) const {
    static const std::regex curl(R"(curl -s (?:http://)?(?:localhost|127\.0\.0\.1):9417(/[^ ]*)(?: \| grep (.*))?)");
    std::smatch found;
    if (std::regex_match(command, found, curl)) {
      const auto reply = admin::call(graftd.socket(), {"GET", found[1], {}, seconds(10)});
      return grep(reply ? reply->body : std::string(), found[2]);
    }
    if (command.starts_with("journalctl -u graftd")) {
      const std::size_t bar = command.find("| grep ");
      return grep(daemon_->err(), bar == std::string::npos ? "" : command.substr(bar + 7));
    }
    std::istringstream words(command);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    REQUIRE(arguments.front() == "graftd");
    arguments.erase(arguments.begin());
    for (std::string& argument : arguments)
      if (argument == "/etc/graftd/manifests") argument = graftd.directory / "manifests";
    auto process = graftd.start(arguments);
    (void)process->wait();
    return process->out() + process->err();
  }

  Graftd graftd;

 private:
  static std::string grep(const std::string& text, std::string pattern) {
    std::erase(pattern, '\'');
    std::string out;
    for (const std::string& line : lines_of(text))
      if (line.find(pattern) != std::string::npos && !line.starts_with("# ")) out += line + "\n";
    return out;
  }
  std::unique_ptr<test_support::Process> daemon_;
};

void fail_always(Walk& walk, simulator::Fault fault) {
  fault.times = 100'000;
  walk.graftd.simulator.add_fault(fault);
}

// How each situation of the document comes about.
const std::map<std::string, std::function<void(Walk&)>> situations{
    {"1. Grafana refuses the login",
     [](Walk& walk) {
       walk.graftd.directory.write("password", "wrong\n");
       walk.start();
       REQUIRE(eventually([&] { return walk.state() == "stopped"; }));
     }},
    {"2. Grafana cannot be reached",
     [](Walk& walk) {
       walk.start_converged();
       walk.graftd.simulator.stop_listening();
       REQUIRE(eventually([&] { return walk.state() == "stopped"; }));
     }},
    {"3. Something else answers in Grafana's place",
     [](Walk& walk) {
       simulator::Fault login_page;
       login_page.kind = simulator::Fault::Kind::status;
       login_page.status = 200;
       login_page.content_type = "text/html";
       login_page.body = "<html>Please log in</html>";
       fail_always(walk, login_page);
       walk.start();
       REQUIRE(eventually([&] { return walk.state() == "stopped"; }));
     }},
    {"4. The manifests have errors",
     [](Walk& walk) {
       walk.start_converged();
       walk.graftd.directory.write("manifests/team-a.yaml",
                                   "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: a, organization: apiorg}\n"
                                   "spec: {titel: A}\n");
       REQUIRE(eventually([&] { return walk.problem("titel"); }));
     }},
    {"5. The configuration was not reloaded",
     [](Walk& walk) {
       walk.start_converged();
       walk.graftd.configure("interval: 1s\nlog: {levle: debug}\n");
       // What the operator did: systemctl reload graftd.
       const auto reply = admin::call(walk.graftd.socket(), {"POST", "/-/reload?wait=30s", "{}", seconds(40)});
       REQUIRE(reply);
       REQUIRE(eventually([&] { return walk.problem("levle"); }));
     }},
    {"6. A resource is refused by Grafana",
     [](Walk& walk) {
       walk.graftd.directory.write("manifests/team-a.yaml",
                                   "apiVersion: graftd/v1\nkind: OrganizationMember\n"
                                   "metadata: {organization: apiorg}\nspec: {login: ann, role: Editor}\n");
       walk.start();
       REQUIRE(eventually([&] { return walk.problem("ann"); }));
     }},
    {"7. A resource is skipped",
     [](Walk& walk) {
       simulator::Fault no;
       no.kind = simulator::Fault::Kind::status;
       no.method = "POST";
       no.route = "/apis/folder.grafana.app/v1beta1/namespaces/:namespace/folders";
       no.status = 403;
       no.body = R"({"kind":"Status","status":"Failure","message":"folder quota reached","code":403})";
       fail_always(walk, no);
       walk.start();
       REQUIRE(eventually([&] { return walk.problem("was not done"); }));
     }},
    {"8. A key cannot be delivered",
     [](Walk& walk) {
       std::filesystem::create_directories(walk.graftd.directory / "tokens/apiorg/test-token/in-the-way");
       walk.start();
       REQUIRE(eventually([&] { return walk.problem("test-token"); }));
     }},
    {"9. A key is destroyed again and again",
     [](Walk& walk) {
       walk.start_converged();
       for (int i = 0; i < 4; ++i) {
         std::filesystem::remove(walk.graftd.directory / "tokens/apiorg/test-token");
         REQUIRE(eventually([&] { return !walk.graftd.key().empty() || walk.problem("reissuesPerHour"); }));
       }
       REQUIRE(eventually([&] { return walk.problem("reissuesPerHour"); }));
     }},
    {"10. Somebody changes it by hand, and it comes back",
     [](Walk& walk) {
       walk.start_converged();
       REQUIRE(walk.graftd.admin.del("/api/folders/ops", walk.graftd.organization()).status == 200);
       REQUIRE(eventually([&] {
         const json page = walk.graftd.document("/api/v1/history?kind=Folder");
         return page.is_object() && page.at("changes").size() >= 2 && walk.state() == "converged";
       }));
     }},
    {"11. Nothing is changed any more",
     [](Walk& walk) {
       REQUIRE(walk.graftd.run("apply") == 0);
       REQUIRE(walk.graftd.admin.del("/api/folders/ops", walk.graftd.organization()).status == 200);
       walk.graftd.configure("interval: 1s\nsuspend: true\n");
       walk.start();
       REQUIRE(eventually([&] { return walk.state() == "suspended"; }));
     }},
};

}  // namespace

TEST_CASE("the walk of docs/operating.md shows what is really seen") {
  const auto document = walk();
  REQUIRE(document.size() == situations.size());
  for (const auto& [heading, arrange] : situations) {
    CAPTURE(heading);
    REQUIRE(document.contains(heading));
    Walk walk;
    arrange(walk);
    for (const Shown& shown : document.at(heading)) {
      CHECK_FALSE(shown.lines.empty());
      std::string output, absent;
      // A cycle may be under way in which something is said that another one says a moment later.
      const bool agrees = eventually(
          [&] {
            output = walk.run(shown.command);
            absent = missing(output, shown.lines);
            return absent.empty();
          },
          seconds(10));
      const std::string said = shown.command + "\n" + output + "\nlacks the line: " + absent;
      CHECK_MESSAGE(agrees, said);
    }
  }
}

TEST_CASE("the walk's own reading: gaps stand for anything, and for nothing else") {
  CHECK(reads_as("a b c", "a b c"));
  CHECK_FALSE(reads_as("a b c d", "a b c"));
  CHECK(reads_as("a b c", "a … c"));
  CHECK(reads_as("a b c", "… c"));
  CHECK(reads_as("a b c", "a…"));
  CHECK_FALSE(reads_as("a b c", "b…"));
  CHECK_FALSE(reads_as("a b c", "a … d"));
  CHECK(missing("one\ntwo\nthree\n", {"one", "…", "three"}).empty());
  CHECK(missing("one\ntwo\n", {"two", "one"}) == "one");
}
