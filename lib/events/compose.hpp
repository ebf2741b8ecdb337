// What a webhook is told of a cycle: events made from what happened and from what was told before. Pure, and of the
// same input always the same (ids come from a function).
//
//   drift      a resource was changed by somebody else, and put back: at most once an hour, with how often it was
//              meanwhile; or it is left so, since cycles only compare: once
//   failure    a resource begins to fail, or does for a reason not told yet (numbers in it aside);  recovered: over
//   rotation   a token got a new key
//   expiry     a token nears its expiry and is not rotated: less than a quarter is left of the time between the moment
//              at which it should have been rotated and its expiry (a token without rotation: of a day); and once more
//              when it has expired
//   hold       something is held until a person decides
//   stopped    cycles cannot be carried out, or the manifests are rejected; once for each `about`;  resumed: over
//
// What was told is remembered by the caller in a Memory, and forgotten at a restart: what still stands is then told
// once more. Of each type at most `most_of_a_type` resources are told of by themselves in one cycle; one event without
// a resource counts the others, so that an outage fills no outbox.
//
// Nothing secret is looked at; what the caller puts into texts goes out as it is, shortened.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.hpp"
#include "state/history.hpp"

namespace graft::events {

struct Subject {
  std::string kind, organization, name;
  auto operator<=>(const Subject&) const = default;
};

// Something that was done, with the place of its declaration ("apiorg.yaml:12:5"; may be empty).
struct Happened {
  state::Change change;
  std::string manifest;
};

// How a resource that is not in order stands at the end of the cycle.
struct Standing {
  enum class What : std::uint8_t { failed, held, drifted };  // drifted: found and left so, since cycles only compare
  What what = What::failed;
  Subject subject;
  std::string message, manifest;
  std::vector<FieldChange> fields = {};
};

struct TokenExpiry {
  std::string organization, name;  // "apiorg", "test/test-token"
  WallTime expires_at;
  std::optional<WallTime> rotates_at = {};  // nullopt: it is not rotated
};

// Why cycles cannot be carried out, or not by the newest manifests.
struct Stop {
  std::string about;  // "credential", "grafana", "manifests", "state", "configuration"
  std::string message, manifest;
};

struct CycleFacts {
  WallTime at;
  std::optional<WallTime> server_time = {};  // that the tokens' times are of; nullopt: `at`
  std::uint64_t cycle = 0;
  std::string revision;
  std::vector<Happened> happened;
  bool looked = true;               // false: Grafana was not seen, and the next two are not looked at
  std::vector<Standing> standing;   // everything that is not in order
  std::vector<Subject> not_known;   // what was not come to: neither in order nor not
  std::vector<TokenExpiry> tokens;  // all that expire
  std::optional<Stop> stopped = {};
};

inline constexpr std::size_t most_of_a_type = 20;
inline constexpr std::chrono::hours drift_again_after{1};
inline constexpr std::size_t most_reasons = 5;  // told of one failure or hold, from its beginning to its end

// What was told so far. Begins empty.
struct Memory {
  struct Drift {
    WallTime told;
    std::size_t untold = 0;  // since then
    auto operator<=>(const Drift&) const = default;
  };
  using Reasons = std::set<std::string>;  // those that were told, numbers taken out
  std::map<Subject, Reasons> failing, held, left;
  std::map<Subject, Drift> drifted;
  std::set<std::tuple<Subject, WallTime, bool>> expiring;  // token, when, whether it had expired
  std::set<std::string> stopped;                           // about what
};

struct Composer {
  std::string owner, version;            // of this graftd
  std::set<std::string> types = {};      // that are wanted; empty: all. "failure" and "stopped" bring their ends along
  std::function<std::string()> new_uid;  // random_hex(16)
};

struct Composed {
  std::vector<state::Event> events;  // in the order of the list above; ids are the store's
  Memory memory;                     // to be kept once the events are recorded: else all is told the next time
};

[[nodiscard]] Composed compose(const CycleFacts& facts, Memory memory, const Composer& composer);

// "drift,failure" → {"drift", "failure"}. The words are those of `Composer::types`.
[[nodiscard]] std::set<std::string> types_of(std::string_view comma_separated);

}  // namespace graft::events
