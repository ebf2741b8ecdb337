// The history in a database: what SqliteStore does with it. The calls of History (history.hpp).
#pragma once

#include "state/history.hpp"
#include "state/sqlite.hpp"

namespace graft::state {

class SqliteHistory {
 public:
  explicit SqliteHistory(Database& database) : database_(database) {}

  [[nodiscard]] Result<Recorded> record(const std::vector<Change>& changes, const std::vector<Event>& events,
                                        std::size_t keep_changes, std::size_t keep_events);
  [[nodiscard]] Result<std::vector<Change>> changes(const ChangeQuery& query);
  [[nodiscard]] Result<std::vector<Event>> due_events(WallTime now, std::size_t limit);
  [[nodiscard]] Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts);
  [[nodiscard]] Result<std::size_t> drop_events(WallTime before);
  [[nodiscard]] Result<PendingEvents> pending_events();

 private:
  Status insert(const std::vector<Change>& changes, std::int64_t first);
  Status insert(const std::vector<Event>& events, std::int64_t first);
  Result<Recorded> record_within(const std::vector<Change>& changes, const std::vector<Event>& events,
                                 std::size_t keep_changes, std::size_t keep_events);
  Result<std::optional<Event>> event(std::int64_t id);
  Result<std::size_t> erase(std::string_view text, std::int64_t value);

  Database& database_;
};

// Runs `work`, which gives a Result, as one transaction: undone when it or its end fails.
template <class Work>
auto in_transaction(Database& database, Work work) -> decltype(work()) {
  if (Status begun = database.execute("BEGIN IMMEDIATE"); !begun) return fail(std::move(begun.error()));
  auto result = work();
  if (result) {
    Status ended = database.execute("COMMIT");
    if (ended) return result;
    result = fail(std::move(ended.error()));
  }
  (void)database.execute("ROLLBACK");  // an error of its own: a full disk has undone it already
  return result;
}

}  // namespace graft::state
