// The tables of the history and the outbox: their rows to values and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/history.hpp"
#include "state/sqlite.hpp"

namespace graft::state {

extern const char* const history_tables;

namespace sql {
constexpr std::string_view put_change =
    "INSERT INTO change (id, at, cycle, revision, kind, organization, name, action, outcome, cause, fields, message,"
    " checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
constexpr std::string_view last_change =
    "SELECT max(ifnull((SELECT max(id) FROM change), 0), ifnull((SELECT seq FROM sqlite_sequence WHERE name = "
    "'change'), 0))";
constexpr std::string_view bound_changes =
    "DELETE FROM change WHERE id <= (SELECT id FROM change ORDER BY id DESC LIMIT 1 OFFSET ?1)";
constexpr std::string_view put_event =
    "INSERT OR REPLACE INTO event (id, uid, at, type, body, attempts, next_attempt, checksum)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr std::string_view last_event =
    "SELECT max(ifnull((SELECT max(id) FROM event), 0), ifnull((SELECT seq FROM sqlite_sequence WHERE name = "
    "'event'), 0))";
constexpr std::string_view bound_events =
    "DELETE FROM event WHERE id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?1)";
constexpr std::string_view one_event =
    "SELECT id, uid, at, type, body, attempts, next_attempt, checksum FROM event WHERE id = ?1";
constexpr std::string_view due_events =
    "SELECT id, uid, at, type, body, attempts, next_attempt, checksum FROM event"
    " WHERE next_attempt <= ?1 OR next_attempt > ?2 ORDER BY id LIMIT ?3";
constexpr std::string_view forget_event = "DELETE FROM event WHERE id = ?1";
constexpr std::string_view drop_events = "DELETE FROM event WHERE at < ?1";
constexpr std::string_view pending_events = "SELECT count(*), min(at), min(next_attempt) FROM event";
}  // namespace sql

// The text of a query for what it asks; bind_query() gives it its values.
[[nodiscard]] std::string query_text(const ChangeQuery& query);
void bind_query(Statement& statement, const ChangeQuery& query);

// nullopt: the row is damaged.
[[nodiscard]] std::optional<Change> decode_change(const Statement& row);
[[nodiscard]] std::optional<Event> decode_event(const Statement& row);
void encode_change(Statement& statement, const Change& change);
void encode_event(Statement& statement, const Event& event);

}  // namespace graft::state
