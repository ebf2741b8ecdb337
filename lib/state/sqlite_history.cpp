#include "state/sqlite_history.hpp"

#include <utility>

#include "state/history_rows.hpp"

namespace graft::state {

Status SqliteHistory::insert(const std::vector<Change>& changes, std::int64_t first) {
  for (const Change& change : changes) {
    auto statement = database_.prepare(sql::put_change);
    if (!statement) return fail(std::move(statement.error()));
    Change kept = bounded(change);
    kept.id = first++;
    encode_change(*statement, kept);
    if (Status written = statement->run(); !written) return written;
  }
  return {};
}

Status SqliteHistory::insert(const std::vector<Event>& events, std::int64_t first) {
  for (const Event& event : events) {
    auto statement = database_.prepare(sql::put_event);
    if (!statement) return fail(std::move(statement.error()));
    Event kept = event;
    kept.id = first++;
    encode_event(*statement, kept);
    if (Status written = statement->run(); !written) return written;
  }
  return {};
}

Result<std::size_t> SqliteHistory::erase(std::string_view text, std::int64_t value) {
  auto statement = database_.prepare(text);
  if (!statement) return fail(std::move(statement.error()));
  statement->bind(1, value);
  if (Status done = statement->run(); !done) return fail(std::move(done.error()));
  const auto rows = database_.integer("SELECT changes()");
  if (!rows) return fail(rows.error());
  return static_cast<std::size_t>(*rows);
}

Result<Recorded> SqliteHistory::record_within(const std::vector<Change>& changes, const std::vector<Event>& events,
                                              std::size_t keep_changes, std::size_t keep_events) {
  const auto last_change = database_.integer(sql::last_change);
  if (!last_change) return fail(last_change.error());
  const auto last_event = database_.integer(sql::last_event);
  if (!last_event) return fail(last_event.error());
  if (Status done = insert(changes, *last_change + 1); !done) return fail(std::move(done.error()));
  if (Status done = insert(events, *last_event + 1); !done) return fail(std::move(done.error()));
  if (auto done = erase(sql::bound_changes, static_cast<std::int64_t>(keep_changes)); !done)
    return fail(std::move(done.error()));
  const auto dropped = erase(sql::bound_events, static_cast<std::int64_t>(keep_events));
  if (!dropped) return fail(dropped.error());
  return Recorded{*last_change + 1, *dropped};
}

Result<Recorded> SqliteHistory::record(const std::vector<Change>& changes, const std::vector<Event>& events,
                                       std::size_t keep_changes, std::size_t keep_events) {
  return in_transaction(database_, [&] { return record_within(changes, events, keep_changes, keep_events); });
}

Result<std::vector<Change>> SqliteHistory::changes(const ChangeQuery& query) {
  auto rows = database_.prepare(query_text(query));
  if (!rows) return fail(std::move(rows.error()));
  bind_query(*rows, query);
  std::vector<Change> found;
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    if (auto change = decode_change(*rows)) found.push_back(std::move(*change));
  }
}

Result<std::vector<Event>> SqliteHistory::due_events(WallTime now, std::size_t limit) {
  std::vector<Event> due;
  std::vector<std::int64_t> damaged;  // could never be sent, and would stand in the way of others
  auto rows = database_.prepare(sql::due_events);
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(1, now.time_since_epoch().count());
  rows->bind(2, (now + longest_wait).time_since_epoch().count());
  rows->bind(3, static_cast<std::int64_t>(limit));
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    auto event = decode_event(*rows);
    if (event) {
      due.push_back(std::move(*event));
    } else {
      damaged.push_back(rows->integer(0));
    }
  }
  for (const std::int64_t id : damaged)
    if (auto done = erase(sql::forget_event, id); !done) return fail(std::move(done.error()));
  return due;
}

// nullopt: it is not there, or damaged.
Result<std::optional<Event>> SqliteHistory::event(std::int64_t id) {
  auto statement = database_.prepare(sql::one_event);
  if (!statement) return fail(std::move(statement.error()));
  statement->bind(1, id);
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? decode_event(*statement) : std::nullopt;
}

Status SqliteHistory::put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts) {
  if (!next_attempt) {
    auto done = erase(sql::forget_event, id);
    return done ? Status{} : fail(std::move(done.error()));
  }
  auto found = event(id);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return {};
  (*found)->attempts = attempts;
  (*found)->next_attempt = *next_attempt;
  auto statement = database_.prepare(sql::put_event);
  if (!statement) return fail(std::move(statement.error()));
  encode_event(*statement, **found);
  return statement->run();
}

Result<std::size_t> SqliteHistory::drop_events(WallTime before) {
  return erase(sql::drop_events, before.time_since_epoch().count());
}

Result<PendingEvents> SqliteHistory::pending_events() {
  auto statement = database_.prepare(sql::pending_events);
  if (!statement) return fail(std::move(statement.error()));
  const auto row = statement->step();
  if (!row) return fail(row.error());
  PendingEvents pending;
  pending.count = static_cast<std::size_t>(statement->integer(0));
  const auto time = [&](int column) {
    const auto seconds = statement->optional_integer(column);
    return seconds ? std::optional(WallTime{std::chrono::seconds{*seconds}}) : std::nullopt;
  };
  pending.oldest = time(1);
  pending.next_attempt = time(2);
  return pending;
}

}  // namespace graft::state
