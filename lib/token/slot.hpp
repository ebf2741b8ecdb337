// The decision of a token slot: a pure function of what was read (Grafana's list, the sinks, the store), as a chain of
// named checks (tokens.md 2.4). Nothing here can do I/O; issuer.hpp carries it out.
//
// Words: a token is *ours* when its name proves it. `current` is the newest one whose key lies in a sink and is alive.
// A token is *undelivered* when the store says that its key was only asked for and Grafana says that it was never used:
// nobody can hold that key. Everything else may be in use somewhere and dies by grace only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "sink/reading.hpp"
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

// One sink as it was read.
struct SinkInputs {
  std::string name;     // "file apiorg/test-token"
  std::string problem;  // not empty: it could not be read (rule A)
  sink::KeyState key_state = sink::KeyState::missing;
  std::string key_problem;                     // for malformed
  std::optional<sink::MarkerEntry> key_entry;  // of the very key that lies there, by its marker or else by the store
  bool marked = false;                         // it is its marker that names the key
  std::string access_found, access_wanted;     // not empty: who may read the key is not as declared
  std::uint32_t marker_generation = 0;         // the highest that the marker names; 0: none
  bool known = false;                          // the store has seen a key of this slot there
  std::optional<WallTime> changed_at;          // since the delivery it was found changed, but not by us (rules D, N)
};

struct Inputs {
  std::string list_problem;         // not empty: Grafana's list is not known to be complete (rule A)
  std::vector<ListedToken> tokens;  // ours
  std::optional<WallTime> server_now;
  std::vector<SinkInputs> sinks;  // as declared; at least one
  Proof proof = Proof::none;      // of the newest key, see newest_key()
  std::optional<state::SlotRecord> record;
  bool rotation_asked = false;  // a person wants a new key
};

struct Policy {
  std::chrono::seconds orphan_age{60};  // an undelivered token is left alone so long: a slow twin may still be at it
  std::chrono::seconds grace{86'400};   // a superseded token lives so long after its successor was delivered
  std::optional<std::chrono::seconds> ttl, rotate_before;  // nullopt: keys never expire
  std::size_t reissues_per_hour = 3;                       // that were not planned (rule F)
};

enum class Step : std::uint8_t {
  keep,     // nothing to do
  issue,    // delete `revoke`, then make generation `generation` and deliver it to all sinks
  spread,   // delete `revoke`; write the key that lies in sink `from` into the sinks `to`, as declared
  revoke,   // delete `revoke`
  wait,     // the slot has no key and must not get one yet
  unknown,  // what is there is not known: nothing is done
};

struct Decision {
  Step step = Step::keep;
  std::string_view check;        // the name of the check that decided: "no-key-in-use"
  std::string reason;            // for people: "the key file is missing"
  std::uint32_t generation = 0;  // for issue the new one, for spread the current one
  bool unplanned = false;        // an issue that counts for the limits of rule F
  std::vector<TokenId> revoke;
  std::size_t from = 0;
  std::vector<std::size_t> to;
  std::optional<WallTime> wake_at;  // server time
};

[[nodiscard]] Decision decide(const Inputs& inputs, const Policy& policy);

// The sink that holds the newest key whose token is listed, neither expired nor revoked: the key to ask Grafana about.
[[nodiscard]] std::optional<std::size_t> newest_key(const Inputs& inputs);
[[nodiscard]] const ListedToken* token_of(const Inputs& inputs, const sink::MarkerEntry& entry);

// When a token is to be replaced: `rotate_before` ahead of its end, and up to a tenth of that earlier, so that tokens
// that were made together are not replaced together. nullopt: it never expires.
[[nodiscard]] std::optional<WallTime> rotation_due(const ListedToken& token, const Policy& policy);

// 1 + the highest generation seen in Grafana, the sinks and the store; but an intent whose token is not listed is asked
// for again under its own generation.
[[nodiscard]] std::uint32_t next_generation(const Inputs& inputs);

}  // namespace graft::token
