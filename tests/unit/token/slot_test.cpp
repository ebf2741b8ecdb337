// The decision chain of a token slot: tables of situations and outcomes. Rules are those of the header.
#include "token/slot.hpp"

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

// A slot as it is after a good delivery of generation 1, an hour ago.
Inputs in_use() {
  Inputs inputs;
  ListedToken token;
  token.id = TokenId(7);
  token.generation = 1;
  token.created = now - seconds(3600);
  token.last_used = now - seconds(3599);
  token.expiration = now + seconds(86'400);
  inputs.tokens = {token};
  inputs.server_now = now;
  inputs.key_state = KeyState::present;
  inputs.key_entry = sink::MarkerEntry{"f", 1, TokenId(7), now - seconds(3600)};
  inputs.marker_generation = 1;
  inputs.proof = Proof::alive;
  inputs.record = state::SlotRecord{1, Phase::delivered, TokenId(7)};
  return inputs;
}

ListedToken extra(std::uint32_t generation, std::int64_t id, seconds age) {
  ListedToken token;
  token.id = TokenId(id);
  token.generation = generation;
  token.created = now - age;
  return token;
}

const Policy policy{};  // orphan age 60 s, grace 24 h

}  // namespace

TEST_CASE("a delivered key that is alive is kept") {
  const Decision decision = decide(in_use(), policy);
  CHECK(decision.step == Step::keep);
  CHECK(decision.check == "in-use");
}

TEST_CASE("an empty slot gets generation 1") {
  Inputs inputs;
  inputs.server_now = now;
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
         i.key_state = KeyState::missing;
         i.key_entry.reset();
       },
       "missing"},
      {"key file truncated",
       [](Inputs& i) {
         i.key_state = KeyState::malformed;
         i.key_problem = "12 bytes";
         i.key_entry.reset();
       },
       "12 bytes"},
      {"another key put there", [](Inputs& i) { i.key_entry.reset(); }, "did not put there"},
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
  inputs.key_state = KeyState::missing;
  inputs.sink_problem = "permission denied";
  CHECK(decide(inputs, policy).step == Step::unknown);

  inputs = in_use();
  inputs.server_now.reset();
  CHECK(decide(inputs, policy).step == Step::unknown);
}

TEST_CASE("a lost reply: the orphan is waited for, then deleted and replaced (rule B)") {
  Inputs inputs;
  inputs.server_now = now;
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
  Inputs inputs;
  inputs.server_now = now;
  inputs.record = state::SlotRecord{1, Phase::intent, std::nullopt};
  inputs.tokens = {extra(1, 7, seconds(3600))};
  inputs.tokens[0].last_used = now - seconds(100);
  const Decision decision = decide(inputs, policy);
  CHECK(decision.step == Step::issue);
  CHECK(decision.revoke.empty());
}

TEST_CASE("without a store no token counts as undelivered") {
  Inputs inputs;
  inputs.server_now = now;
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
  inputs.record = state::SlotRecord{2, Phase::delivered, TokenId(9)};
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
  inputs.key_entry->generation = 2;
  inputs.record = state::SlotRecord{2, Phase::delivered, TokenId(7)};
  inputs.tokens.push_back(extra(1, 3, seconds(999'999)));
  Decision decision = decide(inputs, policy);  // delivered an hour ago
  CHECK(decision.step == Step::keep);
  CHECK(decision.wake_at == now - seconds(3600) + seconds(86'400));

  inputs.key_entry->delivered_at = now - seconds(86'400);
  decision = decide(inputs, policy);
  CHECK(decision.step == Step::revoke);
  CHECK(decision.revoke == std::vector<TokenId>{TokenId(3)});
}

TEST_CASE("nothing that may be in use is deleted before its successor is proven to work") {
  Inputs inputs = in_use();
  inputs.tokens[0].generation = 2;
  inputs.key_entry->generation = 2;
  inputs.key_entry->delivered_at = now - seconds(999'999);
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
  inputs.key_entry->generation = 2;
  inputs.tokens.push_back(extra(1, 3, seconds(50)));
  inputs.tokens[1].expired = true;
  CHECK(decide(inputs, policy).revoke == std::vector<TokenId>{TokenId(3)});
}

TEST_CASE("the next generation is above everything seen, but an intent that Grafana never made is asked for again") {
  Inputs inputs;
  CHECK(next_generation(inputs) == 1);
  inputs.marker_generation = 4;
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

TEST_CASE("facts and decisions survive their way through snapshot and plan") {
  Inputs inputs = in_use();
  inputs.tokens.push_back(extra(2, 9, seconds(10)));
  inputs.tokens[1].revoked = true;
  const Inputs back = kinds::facts_from_json(kinds::facts_to_json(inputs));
  CHECK(kinds::facts_to_json(back) == kinds::facts_to_json(inputs));
  CHECK(decide(back, policy).step == decide(inputs, policy).step);
  CHECK(back.record == inputs.record);
  CHECK(back.key_entry == inputs.key_entry);
  Decision decision;
  decision.step = Step::issue;
  decision.generation = 12;
  decision.revoke = {TokenId(1), TokenId(2)};
  const Decision decided = kinds::decision_from_json(kinds::decision_to_json(decision));
  CHECK(decided.step == Step::issue);
  CHECK(decided.generation == 12);
  CHECK(decided.revoke == decision.revoke);
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
