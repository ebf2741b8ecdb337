#include "events/compose.hpp"

#include <doctest/doctest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "model/json_fields.hpp"

namespace graft::events {

namespace {

using nlohmann::json;
using What = Standing::What;

WallTime at(std::int64_t second) { return WallTime{std::chrono::seconds{second}}; }

Happened happened(const std::string& name, const std::string& cause, const std::string& outcome = "done") {
  Happened out;
  out.change.kind = "Dashboard";
  out.change.organization = "apiorg";
  out.change.name = name;
  out.change.action = "update";
  out.change.cause = cause;
  out.change.outcome = outcome;
  out.change.fields = {{"/title", R"("Old")", R"("New")"}};
  out.manifest = "apiorg.yaml:12:5";
  return out;
}

Happened key_given(const std::string& cause, const std::string& action = "update") {
  Happened out = happened("test/test-token", cause);
  out.change.kind = "ServiceAccountToken";
  out.change.action = action;
  out.change.message = "generation 4";
  return out;
}

Standing standing(const std::string& name, const std::string& message, What what = What::failed) {
  return {what, {"Dashboard", "apiorg", name}, message, "apiorg.yaml:3:1"};
}

// Cycle after cycle, with the memory that the one before left.
class Teller {
 public:
  Teller() {
    composer_.owner = "prod-grafana";
    composer_.version = "0.1.0";
    composer_.new_uid = [this] { return "uid-" + std::to_string(++uids_); };
    facts.at = at(1'800'000'000);
    facts.cycle = 17;
    facts.revision = "a1b2c3";
  }
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;

  // "failure Dashboard apiorg/a Failed", one for each event.
  std::vector<std::string> cycle() {
    std::vector<std::string> lines;
    Composed composed = compose(facts, memory, composer_);
    events = composed.events;
    memory = std::move(composed.memory);
    for (const state::Event& event : events) lines.push_back(line(event));
    facts.at += std::chrono::seconds(60);
    facts.happened.clear();
    return lines;
  }
  void want(const std::string& types) { composer_.types = types_of(types); }
  [[nodiscard]] json body(std::size_t index) const { return json::parse(events.at(index).body); }

  CycleFacts facts;
  Memory memory;
  std::vector<state::Event> events;

 private:
  static std::string line(const state::Event& event) {
    const json body = json::parse(event.body);
    CHECK(text_of(body, "type") == event.type);
    CHECK(text_of(body, "id") == event.uid);
    const json& resource = body["resource"];
    const std::string subject =
        resource.is_null()
            ? "-"
            : text_of(resource, "kind") + " " + text_of(resource, "organization") + "/" + text_of(resource, "name");
    return event.type + " " + subject + " " + text_of(body, "reason");
  }

  Composer composer_;
  int uids_ = 0;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a body says who, what, where and why, and nothing else") {
  Teller teller;
  teller.facts.happened = {happened("a", "drift")};
  CHECK(teller.cycle() == Lines{"drift Dashboard apiorg/a PutBack"});
  CHECK(teller.events[0].body ==
        R"({"id":"uid-1","type":"drift","severity":"info","time":"2027-01-15T08:00:00Z",)"
        R"("graftd":{"owner":"prod-grafana","version":"0.1.0"},)"
        R"("resource":{"kind":"Dashboard","organization":"apiorg","name":"a"},"reason":"PutBack",)"
        R"("message":"was changed by somebody else, and put back","manifest":"apiorg.yaml:12:5",)"
        R"("revision":"a1b2c3","cycle":17,)"
        R"("fields":[{"path":"/title","before":"\"Old\"","after":"\"New\""}]})");
  CHECK(teller.events[0].at == at(1'800'000'000));
  CHECK(teller.events[0].next_attempt == at(1'800'000'000));
  CHECK(teller.events[0].attempts == 0);
}

TEST_CASE("the same facts and the same memory make the same events") {
  Teller one, two;
  for (Teller* teller : {&one, &two}) {
    teller->facts.happened = {happened("a", "drift"), key_given("rotation")};
    teller->facts.standing = {standing("b", "no"), standing("c", "kept", What::held)};
    CHECK(teller->cycle().size() == 4);
  }
  CHECK(one.events == two.events);
}

TEST_CASE("what was only declared anew, or is all right, is not told") {
  Teller teller;
  teller.facts.happened = {happened("a", "manifest"), happened("b", "recovery")};
  CHECK(teller.cycle().empty());
  CHECK(teller.cycle().empty());
}

TEST_CASE("a failure is told when it begins, when its reason changes, and when it is over") {
  Teller teller;
  teller.facts.standing = {standing("a", "no answer after 1234 ms")};
  CHECK(teller.cycle() == Lines{"failure Dashboard apiorg/a Failed"});
  CHECK(teller.body(0)["severity"] == "error");
  CHECK(teller.body(0)["message"] == "no answer after 1234 ms");
  CHECK(teller.body(0)["manifest"] == "apiorg.yaml:3:1");
  CHECK(teller.cycle().empty());
  teller.facts.standing = {standing("a", "no answer after 77 ms")};
  CHECK(teller.cycle().empty());
  teller.facts.standing = {standing("a", "Grafana refuses it")};
  CHECK(teller.cycle() == Lines{"failure Dashboard apiorg/a Failed"});
  teller.facts.standing = {standing("a", "no answer after 5 ms")};  // to and fro is told once
  CHECK(teller.cycle().empty());
  teller.facts.standing = {};
  CHECK(teller.cycle() == Lines{"recovered Dashboard apiorg/a Recovered"});
  CHECK(teller.body(0)["severity"] == "info");
  CHECK(teller.cycle().empty());
  teller.facts.standing = {standing("a", "Grafana refuses it")};
  CHECK(teller.cycle() == Lines{"failure Dashboard apiorg/a Failed"});
}

TEST_CASE("a reason that is another each time ends to be told") {
  Teller teller;
  std::size_t told = 0;
  for (char c = 'a'; c < 'z'; ++c) {
    teller.facts.standing = {standing("a", std::string("reason ") + c)};
    told += teller.cycle().size();
  }
  CHECK(told == most_reasons);
}

TEST_CASE("a cycle that did not see Grafana says nothing of failures, holds and tokens") {
  Teller teller;
  teller.facts.standing = {standing("a", "no"), standing("b", "kept", What::held)};
  CHECK(teller.cycle().size() == 2);
  teller.facts.looked = false;
  teller.facts.standing = {standing("x", "not to be believed")};
  CHECK(teller.cycle().empty());
  teller.facts.looked = true;
  teller.facts.standing = {standing("b", "kept", What::held)};
  CHECK(teller.cycle() == Lines{"recovered Dashboard apiorg/a Recovered"});
}

TEST_CASE("what was not come to is neither told nor over") {
  Teller teller;
  teller.facts.standing = {standing("a", "HTTP 400")};
  CHECK(teller.cycle().size() == 1);
  teller.facts.standing.clear();
  teller.facts.not_known = {{"Dashboard", "apiorg", "a"}};
  CHECK(teller.cycle().empty());
  teller.facts.standing = {standing("a", "HTTP 400")};
  teller.facts.not_known.clear();
  CHECK(teller.cycle().empty());
  teller.facts.standing.clear();
  CHECK(teller.cycle().size() == 1);  // recovered
}

TEST_CASE("a hold is told once, until it is over and comes again") {
  Teller teller;
  teller.facts.standing = {standing("a", "would delete 40 of 50", What::held)};
  CHECK(teller.cycle() == Lines{"hold Dashboard apiorg/a Held"});
  CHECK(teller.cycle().empty());
  teller.facts.standing = {};
  CHECK(teller.cycle().empty());
  teller.facts.standing = {standing("a", "would delete 40 of 50", What::held)};
  CHECK(teller.cycle().size() == 1);
}

TEST_CASE("a fight over a resource is told once an hour, with its number") {
  Teller teller;
  std::vector<std::string> messages;
  for (int minute = 0; minute < 125; ++minute) {
    teller.facts.happened = {happened("a", "drift")};
    if (!teller.cycle().empty()) messages.push_back(text_of(teller.body(0), "message"));
  }
  CHECK(messages == Lines{"was changed by somebody else, and put back",
                          "was changed by somebody else, and put back (and 59 more times since it was told last)",
                          "was changed by somebody else, and put back (and 59 more times since it was told last)"});
  teller.facts.at += std::chrono::hours(25);
  CHECK(teller.cycle().empty());
  CHECK(teller.memory.drifted.empty());
}

TEST_CASE("a drift that could not be put back is an error; one that is left so is told once") {
  Teller teller;
  teller.facts.happened = {happened("a", "drift", "failed")};
  CHECK(teller.cycle() == Lines{"drift Dashboard apiorg/a NotPutBack"});
  CHECK(teller.body(0)["severity"] == "error");
  teller.facts.standing = {standing("b", "differs", What::drifted)};
  CHECK(teller.cycle() == Lines{"drift Dashboard apiorg/b LeftSo"});
  for (int minute = 0; minute < 100; ++minute) CHECK(teller.cycle().empty());
}

TEST_CASE("a new key is told with its cause; a token that changed otherwise or failed is not") {
  Teller teller;
  for (const auto& [cause, reason] : std::map<std::string, std::string>{
           {"rotation", "Rotated"}, {"request", "Requested"}, {"recovery", "Recovered"}}) {
    teller.facts.happened = {key_given(cause)};
    CHECK(teller.cycle() == Lines{"rotation ServiceAccountToken apiorg/test/test-token " + reason});
    CHECK(teller.body(0)["message"] == "got a new key: generation 4");
  }
  teller.facts.happened = {key_given("manifest", "create")};
  CHECK(teller.cycle() == Lines{"rotation ServiceAccountToken apiorg/test/test-token Issued"});
  teller.facts.happened = {key_given("manifest"), key_given("rotation")};
  teller.facts.happened[1].change.outcome = "failed";
  CHECK(teller.cycle().empty());
}

TEST_CASE("a token that nears its expiry without a rotation is told once, and once when it has expired") {
  Teller teller;
  const WallTime now = teller.facts.at;
  using std::chrono::seconds;
  struct Row {
    std::optional<seconds> rotates_in;  // from now
    seconds expires_in;
    std::string reason;  // "" for none
  };
  for (const Row& row : std::vector<Row>{
           {seconds(-100), seconds(100), ""},  // half of the time to rotate in is left
           {seconds(-300), seconds(100), ""},  // a quarter
           {seconds(-304), seconds(100), "NearsExpiry"},
           {seconds(-400), seconds(0), "Expired"},
           {seconds(500), seconds(600), ""},
           {std::nullopt, seconds(6 * 3'600), ""},
           {std::nullopt, seconds(6 * 3'600 - 1), "NearsExpiry"},
           {std::nullopt, seconds(-1), "Expired"},
       }) {
    CAPTURE(row.reason);
    Teller each;
    each.facts.at = at(5);  // the local clock is wrong; the server's counts
    each.facts.server_time = now;
    each.facts.tokens = {{"apiorg", "test/test-token", now + row.expires_in,
                          row.rotates_in ? std::optional(now + *row.rotates_in) : std::nullopt}};
    const std::string line = "expiry ServiceAccountToken apiorg/test/test-token " + row.reason;
    CHECK(each.cycle() == (row.reason.empty() ? Lines{} : Lines{line}));
    CHECK(each.cycle().empty());
    if (row.reason != "NearsExpiry") continue;
    *each.facts.server_time += row.expires_in;
    CHECK(each.cycle() == Lines{"expiry ServiceAccountToken apiorg/test/test-token Expired"});
    CHECK(each.cycle().empty());
    each.facts.tokens[0].expires_at += std::chrono::hours(1'000);  // rotated after all
    CHECK(each.cycle().empty());
    CHECK(each.memory.expiring.empty());
  }
}

TEST_CASE("cycles that cannot be carried out are told once for what stops them, and when they go on") {
  Teller teller;
  teller.facts.looked = false;
  teller.facts.stopped = Stop{"grafana", "no connection", ""};
  CHECK(teller.cycle() == Lines{"stopped - CannotReconcile"});
  CHECK(teller.body(0)["resource"].is_null());
  teller.facts.stopped = Stop{"grafana", "status 502", ""};
  CHECK(teller.cycle().empty());
  teller.facts.stopped = Stop{"credential", "login refused", ""};
  CHECK(teller.cycle() == Lines{"stopped - CannotReconcile"});
  teller.facts.stopped = std::nullopt;
  teller.facts.looked = true;
  CHECK(teller.cycle() == Lines{"resumed - Resumed"});
  CHECK(teller.cycle().empty());
  teller.facts.stopped = Stop{"manifests", "3 errors", "a.yaml:1:1"};
  CHECK(teller.cycle() == Lines{"stopped - ManifestsRejected"});
  CHECK(teller.body(0)["manifest"] == "a.yaml:1:1");
}

TEST_CASE("an outage of everything is twenty events and one that counts the rest; so is its end") {
  Teller teller;
  for (int i = 0; i < 2'000; ++i) teller.facts.standing.push_back(standing("d" + std::to_string(i), "no"));
  CHECK(teller.cycle().size() == most_of_a_type + 1);
  const json last = teller.body(most_of_a_type);
  CHECK(last["resource"].is_null());
  CHECK(last["reason"] == "More");
  CHECK(last["message"] == "1980 more events of type failure in this cycle");
  CHECK(last["severity"] == "error");
  CHECK(teller.cycle().empty());
  teller.facts.standing.clear();
  CHECK(teller.cycle().size() == most_of_a_type + 1);
  CHECK(teller.cycle().empty());
}

TEST_CASE("after a restart what still stands is told once more, and no more") {
  Teller teller;
  teller.facts.standing = {standing("a", "no"), standing("b", "kept", What::held)};
  teller.facts.stopped = Stop{"manifests", "bad", ""};
  CHECK(teller.cycle().size() == 3);
  CHECK(teller.cycle().empty());
  teller.memory = Memory();
  CHECK(teller.cycle().size() == 3);
  CHECK(teller.cycle().empty());
}

TEST_CASE("only the types that are wanted are made; an end belongs to its beginning") {
  const auto told = [](const std::string& types) {
    Teller teller;
    teller.want(types);
    teller.facts.happened = {happened("a", "drift"), key_given("rotation")};
    teller.facts.standing = {standing("b", "no")};
    teller.facts.stopped = Stop{"manifests", "bad", ""};
    Lines all = teller.cycle();
    teller.facts.standing.clear();
    teller.facts.stopped = std::nullopt;
    for (const std::string& line : teller.cycle()) all.push_back(line);
    Lines words;
    for (const std::string& line : all) words.push_back(line.substr(0, line.find(' ')));
    return words;
  };
  CHECK(told("") == Lines{"drift", "failure", "rotation", "stopped", "recovered", "resumed"});
  CHECK(told("failure") == Lines{"failure", "recovered"});
  CHECK(told("stopped, drift") == Lines{"drift", "stopped", "resumed"});
  CHECK(told("hold").empty());
  CHECK(types_of(" drift,failure ,,") == std::set<std::string>{"drift", "failure"});
}

TEST_CASE("texts of any length and content make a sound body of bounded size") {
  Teller teller;
  Happened huge = happened("a", "drift");
  huge.change.fields.assign(1'000, {std::string(5'000, '/'), "\xff\xfe", std::string(5'000, '"')});
  huge.manifest = "m";
  teller.facts.happened = {huge};
  teller.facts.standing = {standing("b", std::string(100'000, 'x') + "\xff")};
  CHECK(teller.cycle().size() == 2);
  CHECK(teller.body(0)["fields"].size() == state::most_fields);
  CHECK(teller.body(1)["message"].get<std::string>().size() == state::longest_message);
  for (const state::Event& event : teller.events) CHECK(event.body.size() < 64 * 1024);
}

}  // namespace graft::events
