// What graftd did, and what it has yet to tell: the history of changes, and the outbox of events for a webhook. Both
// are for people. Losing them costs nothing else, so a damaged row is left out where a damaged slot would set the whole
// file aside.
//
// Nothing secret may be in them: that is the duty of who records, for nothing here can tell a key from a title.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/resource.hpp"

namespace graft::state {

// One thing that was done to one resource of Grafana, or failed.
struct Change {
  std::int64_t id = 0;  // grows, also across restarts; given by the store
  WallTime at;
  std::uint64_t cycle = 0;  // of next_cycle()
  std::string revision;     // of the manifests
  std::string kind, organization, name;
  std::string action;               // create, update, delete, adopt
  std::string outcome;              // done, failed
  std::string cause;                // manifest, drift, rotation, request, recovery
  std::vector<FieldChange> fields;  // what differed
  std::string message;              // for people: why it failed, what a token got
  auto operator<=>(const Change&) const = default;
};

// A longer change is shortened when it is recorded; the message says how many fields were left out.
inline constexpr std::size_t most_fields = 20;
inline constexpr std::size_t longest_field_text = 500;  // bytes, of each of pointer, before and after
inline constexpr std::size_t longest_message = 2'000;   // bytes
[[nodiscard]] Change bounded(Change change);
// At most `limit` bytes, "..." included where something was cut; never within a character.
[[nodiscard]] std::string shortened(std::string text, std::size_t limit);

// One message for the webhook that was not taken yet.
struct Event {
  std::int64_t id = 0;  // grows; given by the store
  std::string uid;      // random; the same at each attempt: by it the receiver knows one that comes twice
  WallTime at;
  std::string type;  // "failure"
  std::string body;  // JSON
  int attempts = 0;
  WallTime next_attempt;  // not before
  auto operator<=>(const Event&) const = default;
};

// All that are given must hold; an empty text asks for any.
struct ChangeQuery {
  std::size_t limit = 100;
  std::optional<std::int64_t> before = {};  // an id: only older ones
  std::string kind = {}, organization = {}, name = {};
  std::optional<WallTime> since = {};
};

struct Recorded {
  std::int64_t first_change = 0;   // ids of the changes: this one and those that follow it, in order
  std::size_t dropped_events = 0;  // never sent, since there were more than `keep_events`: to be logged
};

struct PendingEvents {
  std::size_t count = 0;
  std::optional<WallTime> oldest = {};
  std::optional<WallTime> next_attempt = {};  // the earliest
};

class History {
 public:
  virtual ~History() = default;

  // All or nothing. The oldest beyond the bounds go.
  [[nodiscard]] virtual Result<Recorded> record(const std::vector<Change>& changes, const std::vector<Event>& events,
                                                std::size_t keep_changes, std::size_t keep_events) = 0;
  [[nodiscard]] virtual Result<std::vector<Change>> changes(const ChangeQuery& query) = 0;  // newest first

  // Oldest first. One that is to wait longer than a day is due too: the clock was set back.
  [[nodiscard]] virtual Result<std::vector<Event>> due_events(WallTime now, std::size_t limit) = 0;
  // nullopt: it was delivered, and is forgotten. One that is not there any more is no error.
  [[nodiscard]] virtual Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt,
                                                 int attempts) = 0;
  [[nodiscard]] virtual Result<std::size_t> drop_events(WallTime before) = 0;  // those that happened before; how many
  [[nodiscard]] virtual Result<PendingEvents> pending_events() = 0;

  // A number greater than any given before and than `last`, which is the caller's own: while the disk is full, this
  // answers an error and the caller counts on by itself.
  [[nodiscard]] virtual Result<std::uint64_t> next_cycle(std::uint64_t last) = 0;
};

inline constexpr std::chrono::hours longest_wait{24};  // of an event, see due_events()

}  // namespace graft::state
