// The decision chain of a token slot: tables of situations and outcomes. Rules are those of the header.
#include "token/slot.hpp"

#include <algorithm>
#include <doctest/doctest.h>

#include "kinds/token_facts.hpp"
#include "token/name.hpp"

using namespace graft;
using namespace graft::token;
using sink::KeyState;
using state::Phase;
using std::chrono::seconds;

namespace {

const WallTime now{seconds{1'800'000'000}};

SinkInputs holding(const char* name, std::uint32_t generation, std::int64_t id, seconds age) {
  SinkInputs sink;
  sink.name = name;
  sink.key_state = KeyState::present;
  sink.key_entry = sink::MarkerEntry{"f", generation, TokenId(id), now - age};
  sink.marked = true;
  sink.marker_generation = generation;
  sink.known = true;
  return sink;
}

state::SlotRecord delivered_record(std::uint32_t generation, std::int64_t id) {
  state::SlotRecord record{generation, Phase::delivered, TokenId(id)};
  record.in_use.emplace();
  record.in_use->generation = generation;
  record.in_use->token_id = TokenId(id);
  record.in_use->ttl = seconds(900'000);
  record.sinks = {{"file a", "1"}};
  return record;
}

// A slot as it is after a good delivery of generation 1, an hour ago.
Inputs in_use() {
  Inputs inputs;
  ListedToken token;
  token.id = TokenId(7);
  token.generation = 1;
  token.created = now - seconds(3600);
  token.last_used = now - seconds(3599);
  token.expiration = token.created + seconds(900'000);
  inputs.tokens = {token};
  inputs.server_now = now;
  inputs.sinks = {holding("file a", 1, 7, seconds(3600))};
  inputs.proof = Proof::alive;
  inputs.record = delivered_record(1, 7);
  return inputs;
}

// What is there before the first key.
Inputs empty_slot() {
  Inputs inputs;
  inputs.server_now = now;
  inputs.sinks.emplace_back();
  inputs.sinks[0].name = "file a";
  return inputs;
}

ListedToken extra(std::uint32_t generation, std::int64_t id, seconds age) {
  ListedToken token;
  token.id = TokenId(id);
  token.generation = generation;
  token.created = now - age;
  return token;
}

const Policy policy = [] {  // orphan age 60 s, grace 24 h
  Policy made;
  made.ttl = seconds(900'000);
  made.rotate_before = seconds(300'000);
  return made;
}();

}  // namespace

TEST_CASE("a delivered key that is alive is kept") {
  const Decision decision = decide(in_use(), policy);
  CHECK(decision.step == Step::keep);
  CHECK(decision.check == "in-use");
}

TEST_CASE("an empty slot gets generation 1") {
  Inputs inputs = empty_slot();
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.generation == 1);
  CHECK(decision.revoke.empty());
}

TEST_CASE("what makes a key lost, and what the next generation is") {
  struct Row {
    const char* name;
    void (*tamper)(Inputs&);
    const char* reason;
  };
  const std::vector<Row> rows{
      {"key file deleted",
       [](Inputs& i) {
         i.sinks[0].key_state = KeyState::missing;
         i.sinks[0].key_entry.reset();
       },
       "missing"},
      {"key file truncated",
       [](Inputs& i) {
         i.sinks[0].key_state = KeyState::malformed;
         i.sinks[0].key_problem = "12 bytes";
         i.sinks[0].key_entry.reset();
       },
       "12 bytes"},
      {"another key put there", [](Inputs& i) { i.sinks[0].key_entry.reset(); }, "did not put there"},
      {"token deleted by hand", [](Inputs& i) { i.tokens.clear(); }, "gone"},
      {"token revoked", [](Inputs& i) { i.tokens[0].revoked = true; }, "revoked"},
      {"token expired", [](Inputs& i) { i.tokens[0].expired = true; }, "expired"},
      {"refused twice", [](Inputs& i) { i.proof = Proof::refused; }, "refuses"},
      {"of another account", [](Inputs& i) { i.proof = Proof::wrong_account; }, "another account"},
      {"another token of that generation", [](Inputs& i) { i.tokens[0].id = TokenId(8); }, "gone"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Inputs inputs = in_use();
    row.tamper(inputs);
    const Decision decision = decide(inputs, policy);
    CHECK(decision.step == Step::issue);
    CHECK(decision.generation == 2);
    CHECK(decision.revoke.empty());  // the old key may be in use: it dies by grace, not now
    CHECK(decision.reason.find(row.reason) != std::string::npos);
  }
}

TEST_CASE("what is not known is not acted upon (rule A)") {
  Inputs inputs = in_use();
  inputs.tokens.clear();
  inputs.list_problem = "Grafana lists 300 tokens of the account but counts 307";
  CHECK(decide(inputs, policy).step == Step::unknown);

  inputs = in_use();
  inputs.sinks[0].key_state = KeyState::missing;
  inputs.sinks[0].problem = "permission denied";
  CHECK(decide(inputs, policy).step == Step::unknown);

  inputs = in_use();
  inputs.server_now.reset();
  CHECK(decide(inputs, policy).step == Step::unknown);
}

TEST_CASE("a lost reply: the orphan is waited for, then deleted and replaced (rule B)") {
  Inputs inputs = empty_slot();
  inputs.record = state::SlotRecord{1, Phase::intent, std::nullopt};
  inputs.tokens = {extra(1, 7, seconds(20))};
  Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::wait);
  CHECK(decision.wake_at == now + seconds(40));

  inputs.tokens[0].created = now - seconds(60);
  decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.generation == 2);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(7)});
}

TEST_CASE("a token that was used was handed out, whatever the store says (an old store was restored)") {
  Inputs inputs = empty_slot();
  inputs.record = state::SlotRecord{1, Phase::intent, std::nullopt};
  inputs.tokens = {extra(1, 7, seconds(3600))};
  inputs.tokens[0].last_used = now - seconds(100);
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.revoke.empty());
}

TEST_CASE("without a store no token counts as undelivered") {
  Inputs inputs = empty_slot();
  inputs.tokens = {extra(1, 7, seconds(3600))};
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.generation == 2);
  CHECK(decision.revoke.empty());
}

TEST_CASE("an orphan beside a key in use is deleted when it is old enough, and nothing is issued") {
  Inputs inputs = in_use();
  inputs.record = state::SlotRecord{2, Phase::intent, std::nullopt};
  inputs.tokens.push_back(extra(2, 9, seconds(10)));
  CHECK(decide(inputs, policy).step == Step::keep);
  inputs.tokens[1].created = now - seconds(61);
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::revoke);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(9)});
}

TEST_CASE("a newer token that was handed out means a rolled-back sink: issue, delete nothing (rule C)") {
  Inputs inputs = in_use();
  inputs.record = delivered_record(2, 9);
  inputs.tokens.push_back(extra(2, 9, seconds(1000)));
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.check == "rolled-back");
  CHECK(decision.generation == 3);
  CHECK(decision.revoke.empty());
}

TEST_CASE("superseded tokens live until the grace is over, and not longer (rule D)") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.sinks[0].key_entry->generation = 2;
  inputs.record = delivered_record(2, 7);
  inputs.tokens.push_back(extra(1, 3, seconds(999'999)));
  Decision decision = decide(inputs, policy);  // delivered an hour ago
  CHECK(decision.step == Step::keep);
  CHECK(decision.wake_at == now - seconds(3600) + seconds(86'400));

  inputs.sinks[0].key_entry->delivered_at = now - seconds(86'400);
  decision = decide(inputs, policy);
  CHECK(decision.step == Step::revoke);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(3)});
}

TEST_CASE("nothing that may be in use is deleted before its successor is proven to work") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.sinks[0].key_entry->generation = 2;
  inputs.sinks[0].key_entry->delivered_at = now - seconds(999'999);
  inputs.tokens.push_back(extra(1, 3, seconds(999'999)));
  inputs.proof = Proof::none;
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::keep);
  CHECK(decision.wake_at == now + seconds(30));
  inputs.proof = Proof::alive;
  CHECK(decide(inputs, policy).step == Step::revoke);
}

TEST_CASE("a dead token of ours is cleaned up without waiting") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.sinks[0].key_entry->generation = 2;
  inputs.tokens.push_back(extra(1, 3, seconds(50)));
  inputs.tokens[1].expired = true;
  CHECK(decide(inputs, policy).revoke == std::vector<TokenId>{TokenId(3)});
}

TEST_CASE("the next generation is above everything seen, but an intent that Grafana never made is asked for again") {
  Inputs inputs = empty_slot();
  CHECK(next_generation(inputs) == 1);
  inputs.sinks[0].marker_generation = 4;
  CHECK(next_generation(inputs) == 5);
  inputs.tokens = {extra(6, 1, seconds(1))};
  CHECK(next_generation(inputs) == 7);
  inputs.record = state::SlotRecord{9, Phase::delivered, std::nullopt};
  CHECK(next_generation(inputs) == 10);
  inputs.record = state::SlotRecord{9, Phase::intent, std::nullopt};
  CHECK(next_generation(inputs) == 9);
  inputs.record = state::SlotRecord{6, Phase::intent, std::nullopt};
  CHECK(next_generation(inputs) == 7);
  inputs.record = state::SlotRecord{3, Phase::intent, std::nullopt};  // an old store was restored
  CHECK(next_generation(inputs) == 7);
}

TEST_CASE("a key is replaced before it expires, by up to a tenth of rotateBefore earlier, and its old token lives on") {
  Inputs inputs = in_use();
  const WallTime due = *rotation_due(inputs.tokens[0], policy);
  const WallTime latest = *inputs.tokens[0].expiration - seconds(300'000);
  CHECK(due <= latest);
  CHECK(due > latest - seconds(30'000));
  inputs.server_now = due - seconds(1);
  Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::keep);
  CHECK(decision.wake_at == due);
  inputs.server_now = due;
  decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.check == "due");
  CHECK(decision.generation == 2);
  CHECK(decision.revoke.empty());
  CHECK_FALSE(decision.unplanned);
}

TEST_CASE("a fresh key that is due already is not replaced again and again") {
  Inputs inputs = in_use();                                                   // delivered an hour ago
  inputs.tokens[0].expiration = inputs.tokens[0].created + seconds(250'000);  // less than rotateBefore
  inputs.record->in_use->ttl = policy.ttl;                                    // although more was asked for
  CHECK(decide(inputs, policy).step == Step::keep);
  inputs.sinks[0].key_entry->delivered_at = now - seconds(300'000);
  CHECK(decide(inputs, policy).step == Step::issue);
}

TEST_CASE("rotations of tokens made together are spread, and never due as soon as they are made") {
  std::vector<WallTime> times;
  for (std::int64_t id = 1; id <= 100; ++id) {
    ListedToken token = extra(1, id, seconds(0));
    token.expiration = now + seconds(900'000);
    times.push_back(*rotation_due(token, policy));
  }
  const auto [first, last] = std::ranges::minmax(times);
  CHECK(last - first > seconds(25'000));
  CHECK(last - first <= seconds(30'000));
  Policy tight = policy;
  tight.ttl = seconds(10);
  tight.rotate_before = seconds(9);
  for (std::int64_t id = 1; id <= 100; ++id) {
    ListedToken token = extra(1, id, seconds(0));
    token.expiration = now + seconds(10);
    CHECK(*rotation_due(token, tight) > now);
  }
}

TEST_CASE("a changed ttl is a new key; what Grafana rounds, or gives against our asking, is not") {
  struct Row {
    const char* name;
    std::optional<seconds> declared, made_for, recorded;
    Step step;
  };
  const std::vector<Row> rows{
      {"longer", seconds(2'000'000), seconds(900'000), seconds(900'000), Step::issue},
      {"shorter", seconds(800'000), seconds(900'000), seconds(900'000), Step::issue},
      {"never, now", std::nullopt, seconds(900'000), seconds(900'000), Step::issue},
      {"never, before", seconds(900'000), std::nullopt, std::nullopt, Step::issue},
      {"a second more", seconds(900'000), seconds(900'001), std::nullopt, Step::keep},
      {"never, both", std::nullopt, std::nullopt, std::nullopt, Step::keep},
      {"Grafana gives less than was asked for", seconds(2'000'000), seconds(900'000), seconds(2'000'000), Step::keep},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Inputs inputs = in_use();
    inputs.tokens[0].expiration = row.made_for ? std::optional(inputs.tokens[0].created + *row.made_for) : std::nullopt;
    inputs.record->in_use->ttl = row.recorded;
    Policy other = policy;
    other.ttl = row.declared;
    other.rotate_before = row.declared ? std::optional(*row.declared / 3) : std::nullopt;
    const Decision decision = decide(inputs, other);
    CHECK(decision.step == row.step);
    CHECK_FALSE(decision.unplanned);
    if (row.step == Step::issue) CHECK(decision.check == "spec-changed");
  }
}

TEST_CASE("who asks for a rotation gets one") {
  Inputs inputs = in_use();
  inputs.rotation_asked = true;
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.check == "asked-for");
  CHECK_FALSE(decision.unplanned);
}

TEST_CASE("a rotation waits for an orphan of the last try, and takes it away") {
  Inputs inputs = in_use();
  inputs.rotation_asked = true;
  inputs.record->generation = 2;
  inputs.record->phase = Phase::intent;
  inputs.tokens.push_back(extra(2, 9, seconds(10)));
  CHECK(decide(inputs, policy).step == Step::wait);
  inputs.tokens[1].created = now - seconds(60);
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.generation == 3);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(9)});
}

TEST_CASE("replacements without a plan are held when there are too many; first keys and rotations are not (rule F)") {
  Inputs inputs = in_use();
  inputs.sinks[0].key_state = KeyState::missing;
  inputs.sinks[0].key_entry.reset();
  CHECK(decide(inputs, policy).unplanned);
  inputs.record->reissues = {now - seconds(3'500), now - seconds(20), now - seconds(10)};
  const Decision held = decide(inputs, policy);
  CHECK(held.step == Step::wait);
  CHECK(held.wake_at == now + seconds(100));
  CHECK(held.reason.find("missing") != std::string::npos);
  inputs.record->reissues[0] = now - seconds(3'600);
  CHECK(decide(inputs, policy).step == Step::issue);

  inputs.record->reissues = {now, now, now};
  inputs.rotation_asked = true;  // a person has looked
  CHECK(decide(inputs, policy).step == Step::issue);
  inputs.rotation_asked = false;
  inputs.sinks[0].known = false;  // the manifest names another place
  inputs.sinks[0].marker_generation = 0;
  inputs.record->sinks = {{"file elsewhere", "1"}};
  CHECK(decide(inputs, policy).step == Step::issue);
  CHECK_FALSE(decide(inputs, policy).unplanned);

  inputs = in_use();
  inputs.record->reissues = {now, now, now};
  inputs.server_now = *inputs.tokens[0].expiration - seconds(100);
  CHECK(decide(inputs, policy).check == "due");
  inputs.tokens[0].expired = true;
  inputs.server_now = now;
  CHECK(decide(inputs, policy).step == Step::issue);
  CHECK_FALSE(decide(inputs, policy).unplanned);
}

TEST_CASE("several sinks: the key in use is written into those that lack it, and nothing dies before all have it") {
  Inputs inputs = in_use();
  inputs.sinks.push_back(inputs.sinks[0]);
  inputs.sinks[1].name = "secret b";
  CHECK(decide(inputs, policy).step == Step::keep);

  const auto spread = [&](std::size_t from, std::vector<std::size_t> to) {
    const Decision decision = decide(inputs, policy);
    CHECK(decision.step == Step::spread);
    CHECK(decision.check == "sink-behind");
    CHECK(decision.generation == inputs.sinks[from].key_entry->generation);
    CHECK(decision.from == from);
    CHECK(decision.to == to);
    CHECK(decision.revoke.empty());
  };
  inputs.sinks[1].key_state = KeyState::missing;
  inputs.sinks[1].key_entry.reset();
  spread(0, {1});
  inputs.sinks[1].key_state = KeyState::malformed;
  spread(0, {1});

  inputs.sinks[1] = holding("secret b", 2, 9, seconds(10));  // a delivery that reached one of them
  inputs.tokens.push_back(extra(2, 9, seconds(12)));
  inputs.tokens[1].expiration = inputs.tokens[1].created + seconds(900'000);
  spread(1, {0});

  inputs.sinks[0] = holding("file a", 2, 9, seconds(1));
  Policy short_grace = policy;
  short_grace.grace = seconds(5);
  Decision decision = decide(inputs, short_grace);  // counted from the last of them
  CHECK(decision.step == Step::keep);
  inputs.sinks[0] = holding("file a", 2, 9, seconds(5));
  decision = decide(inputs, short_grace);
  CHECK(decision.step == Step::revoke);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(7)});

  inputs.sinks[0].problem = "permission denied";
  CHECK(decide(inputs, short_grace).step == Step::unknown);
}

TEST_CASE("a key with the wrong readers, or without its marker, is written again where it lies") {
  Inputs inputs = in_use();
  inputs.sinks[0].access_found = "mode 0666";
  inputs.sinks[0].access_wanted = "mode 0600";
  CHECK(decide(inputs, policy).step == Step::spread);
  inputs.tokens.push_back(
      extra(2, 9, seconds(61)));  // what is left over does not wait for a file system that is mended
  inputs.record->generation = 2;
  inputs.record->phase = Phase::intent;
  CHECK(decide(inputs, policy).revoke == std::vector<TokenId>{TokenId(9)});
  inputs = in_use();
  inputs.sinks[0].marked = false;
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::spread);
  CHECK(decision.to == std::vector<std::size_t>{0});
}

TEST_CASE("grace begins anew when the sink was changed behind our back (rules D and N)") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.sinks = {holding("file a", 2, 7, seconds(999'999))};
  inputs.record = delivered_record(2, 7);
  inputs.tokens.push_back(extra(1, 3, seconds(999'999)));
  CHECK(decide(inputs, policy).step == Step::revoke);
  inputs.sinks[0].changed_at = now - seconds(100);
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::keep);
  inputs.server_now = now - seconds(100) + seconds(86'400);
  CHECK(decide(inputs, policy).step == Step::revoke);
}

TEST_CASE("a clock that was set back neither revokes early nor keeps a token for ever") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.sinks = {holding("file a", 2, 7, seconds(-35'000'000))};  // delivered in the future
  inputs.record = delivered_record(2, 7);
  inputs.tokens.push_back(extra(1, 3, seconds(999'999)));
  CHECK(decide(inputs, policy).step == Step::keep);
  inputs.sinks[0].changed_at = now - seconds(86'399);  // noted when the jump was seen
  CHECK(decide(inputs, policy).step == Step::keep);
  inputs.sinks[0].changed_at = now - seconds(86'400);
  CHECK(decide(inputs, policy).step == Step::revoke);
  inputs.sinks[0].changed_at = now + seconds(100);  // and back once more
  CHECK(decide(inputs, policy).step == Step::keep);

  Inputs orphan = empty_slot();
  orphan.record = state::SlotRecord{1, Phase::intent};
  orphan.tokens = {extra(1, 7, seconds(-35'000'000))};
  CHECK(decide(orphan, policy).step == Step::issue);
}

TEST_CASE("facts and decisions survive their way through snapshot and plan") {
  Inputs inputs = in_use();
  inputs.tokens.push_back(extra(2, 9, seconds(10)));
  inputs.tokens[1].revoked = true;
  inputs.record->reissues = {now - seconds(5)};
  inputs.sinks[0].changed_at = now - seconds(7);
  const Inputs back = kinds::facts_from_json(kinds::facts_to_json(inputs));
  CHECK(kinds::facts_to_json(back) == kinds::facts_to_json(inputs));
  CHECK(decide(back, policy).step == decide(inputs, policy).step);
  REQUIRE(back.record);
  CHECK(back.record->generation == inputs.record->generation);
  CHECK(back.record->phase == inputs.record->phase);
  CHECK(back.record->in_use->ttl == inputs.record->in_use->ttl);
  CHECK(back.record->reissues == inputs.record->reissues);
  CHECK(back.sinks[0].changed_at == inputs.sinks[0].changed_at);
  CHECK(back.sinks[0].key_entry == inputs.sinks[0].key_entry);
  Decision decision;
  decision.step = Step::issue;
  decision.generation = 12;
  decision.revoke = {TokenId(1), TokenId(2)};
  decision.unplanned = true;
  decision.from = 1;
  decision.to = {0, 2};
  decision.reason = "the key is missing";
  const Decision decided = kinds::decision_from_json(kinds::decision_to_json(decision));
  CHECK(decided.step == Step::issue);
  CHECK(decided.generation == 12);
  CHECK(decided.revoke == decision.revoke);
  CHECK(decided.unplanned);
  CHECK(decided.from == 1);
  CHECK(decided.to == decision.to);
  CHECK(decided.reason == decision.reason);
}

TEST_CASE("generation names prove themselves, and nothing that merely looks like one does") {
  const SlotIdentity slot{"prod", OrgId(2), "sa-2-test", "test-token"};
  const std::string name = generation_name(slot, 1);
  CHECK(name.starts_with("test-token-g0001-"));
  CHECK(name.size() == std::string("test-token-g0001-").size() + 6);
  CHECK(name == generation_name(slot, 1));
  CHECK(recognise(slot, name) == 1U);
  CHECK(recognise(slot, generation_name(slot, 12'345)) == 12'345U);

  SlotIdentity other = slot;
  other.owner = "staging";
  CHECK_FALSE(recognise(other, name));
  other = slot;
  other.account_login = "sa-2-tester";
  CHECK_FALSE(recognise(other, name));
  other = slot;
  other.organization = OrgId(3);
  CHECK_FALSE(recognise(other, name));
  other = slot;
  other.token = "test";
  CHECK_FALSE(recognise(other, name));
  for (const std::string& foreign :
       {std::string("test-token"), std::string("test-token-g0001"), std::string("test-token-g0001-aaaaaa"), "x" + name,
        name + "x", std::string("test-token-g0000-") + name.substr(17), "test-token-g1-" + name.substr(17),
        std::string("test-token-g0002-") + name.substr(17), std::string("test-token-g-1-aaaaaa"), std::string()})
    CHECK_FALSE(recognise(slot, foreign));
}
