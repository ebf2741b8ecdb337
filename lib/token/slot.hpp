// The decision of a token slot: a pure function of what was read (Grafana's list, the sink, the store), as a chain of
// named checks (tokens.md 2.4). Nothing here can do I/O; issuer.hpp carries it out.
//
// Words: a token is *ours* when its name proves it. `current` is the one whose key lies in the sink. A token is
// *undelivered* when the store says that its key was only asked for and Grafana says that it was never used: nobody can
// hold that key. Everything else may be in use somewhere and dies by grace only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "sink/sink.hpp"
#include "state/store.hpp"

namespace graft::token {

struct ListedToken {  // of ours, in this slot
  TokenId id;
  std::uint32_t generation = 0;
  WallTime created;  // server clock
  std::optional<WallTime> last_used, expiration;
  bool expired = false, revoked = false;
};

enum class Proof : std::uint8_t {
  none,           // not asked this time, or no answer: says nothing
  alive,          // Grafana took the key, and it is of the right account and organization
  refused,        // Grafana refused the key, twice and long enough apart
  wrong_account,  // the key works, but belongs to another account or organization
};

struct Inputs {
  std::string list_problem;         // not empty: Grafana's list is not known to be complete (rule A)
  std::vector<ListedToken> tokens;  // ours
  std::optional<WallTime> server_now;
  std::string sink_problem;  // not empty: the sink could not be read (rule A)
  sink::KeyState key_state = sink::KeyState::missing;
  std::string key_problem;                     // for malformed
  std::optional<sink::MarkerEntry> key_entry;  // the marker's entry of the very key that lies there
  std::string access_found, access_wanted;     // not empty: who may read the key is not as declared
  std::uint32_t marker_generation = 0;         // the highest that the marker names; 0: none
  Proof proof = Proof::none;
  std::optional<state::SlotRecord> record;
};

struct Policy {
  std::chrono::seconds orphan_age{60};  // an undelivered token is left alone so long: a slow twin may still be at it
  std::chrono::seconds grace{86'400};   // a superseded token lives so long after its successor was delivered
};

enum class Step : std::uint8_t {
  keep,     // nothing to do
  issue,    // delete `revoke`, then make generation `generation` and deliver it
  rewrite,  // write the key that is there again, with the declared mode and owner
  revoke,   // delete `revoke`
  wait,     // the slot has no key and must not get one yet
  unknown,  // what is there is not known: nothing is done
};

struct Decision {
  Step step = Step::keep;
  std::string_view check;  // the name of the check that decided: "no-key-in-sink"
  std::string reason;      // for people: "the key file is missing"
  std::uint32_t generation = 0;
  std::vector<TokenId> revoke;
  std::optional<WallTime> wake_at;  // server time
};

[[nodiscard]] Decision decide(const Inputs& inputs, const Policy& policy);

// 1 + the highest generation seen in Grafana, the sink and the store; but an intent whose token is not listed is asked
// for again under its own generation.
[[nodiscard]] std::uint32_t next_generation(const Inputs& inputs);

}  // namespace graft::token
