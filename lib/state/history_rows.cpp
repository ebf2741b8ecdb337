#include "state/history_rows.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/json_fields.hpp"
#include "state/row_checksum.hpp"

namespace graft::state {

namespace {

using nlohmann::json;

std::int64_t seconds_of(WallTime time) { return time.time_since_epoch().count(); }

// Keys of one letter: there are up to ten thousand rows of up to twenty.
std::string write_fields(const std::vector<FieldChange>& fields) {
  json list = json::array();
  for (const FieldChange& field : fields)
    list.push_back({{"p", field.pointer}, {"b", field.before}, {"a", field.after}});
  return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::vector<FieldChange>> read_fields(const std::string& text) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return std::nullopt;
  std::vector<FieldChange> fields;
  for (const json& field : list) fields.push_back({text_of(field, "p"), text_of(field, "b"), text_of(field, "a")});
  return fields;
}

std::int64_t change_checksum(const Change& change, const std::string& fields) {
  return checksum("change", change.id, seconds_of(change.at), change.cycle, change.revision, change.kind,
                  change.organization, change.name, change.action, change.outcome, change.cause, fields,
                  change.message);
}

std::int64_t event_checksum(const Event& event) {
  return checksum("event", event.id, event.uid, seconds_of(event.at), event.type, event.body, event.attempts,
                  seconds_of(event.next_attempt));
}

WallTime time_at(const Statement& row, int column) { return WallTime{std::chrono::seconds{row.integer(column)}}; }

}  // namespace

// An index leads to the rows of one resource, of one organization and of one kind; the id is its last column by itself,
// so that the newest come without sorting.
const char* const history_tables = R"(
  CREATE TABLE change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    cycle INTEGER NOT NULL,
    revision TEXT NOT NULL,
    kind TEXT NOT NULL,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT NOT NULL,
    fields TEXT NOT NULL,
    message TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX change_of_name ON change (name);
  CREATE INDEX change_of_organization ON change (organization);
  CREATE INDEX change_of_kind ON change (kind);
  CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
)";

std::string query_text(const ChangeQuery& query) {
  std::string text =
      "SELECT id, at, cycle, revision, kind, organization, name, action, outcome, cause, fields, message, checksum"
      " FROM change WHERE 1";
  if (query.before) text += " AND id < ?1";
  if (query.since) text += " AND at >= ?2";
  if (!query.kind.empty()) text += " AND kind = ?3";
  if (!query.organization.empty()) text += " AND organization = ?4";
  if (!query.name.empty()) text += " AND name = ?5";
  return text + " ORDER BY id DESC LIMIT ?6";
}

void bind_query(Statement& statement, const ChangeQuery& query) {
  if (query.before) statement.bind(1, *query.before);
  if (query.since) statement.bind(2, seconds_of(*query.since));
  if (!query.kind.empty()) statement.bind(3, std::string_view(query.kind));
  if (!query.organization.empty()) statement.bind(4, std::string_view(query.organization));
  if (!query.name.empty()) statement.bind(5, std::string_view(query.name));
  statement.bind(6, static_cast<std::int64_t>(query.limit));
}

std::optional<Change> decode_change(const Statement& row) {
  Change change;
  change.id = row.integer(0);
  change.at = time_at(row, 1);
  change.cycle = static_cast<std::uint64_t>(row.integer(2));
  int column = 3;
  for (std::string* text : {&change.revision, &change.kind, &change.organization, &change.name, &change.action,
                            &change.outcome, &change.cause})
    *text = row.text(column++);
  const std::string fields = row.text(10);
  change.message = row.text(11);
  if (row.integer(12) != change_checksum(change, fields)) return std::nullopt;
  auto read = read_fields(fields);
  if (!read) return std::nullopt;
  change.fields = std::move(*read);
  return change;
}

void encode_change(Statement& statement, const Change& change) {
  const std::string fields = write_fields(change.fields);
  statement.bind(1, change.id);
  statement.bind(2, seconds_of(change.at));
  statement.bind(3, static_cast<std::int64_t>(change.cycle));
  int parameter = 4;
  for (const std::string* text : {&change.revision, &change.kind, &change.organization, &change.name, &change.action,
                                  &change.outcome, &change.cause, &fields, &change.message})
    statement.bind(parameter++, std::string_view(*text));
  statement.bind(13, change_checksum(change, fields));
}

std::optional<Event> decode_event(const Statement& row) {
  const std::int64_t attempts = row.integer(5);
  if (attempts < 0 || attempts > std::numeric_limits<int>::max()) return std::nullopt;
  Event event{row.integer(0), row.text(1), time_at(row, 2), row.text(3), row.text(4), static_cast<int>(attempts),
              time_at(row, 6)};
  if (row.integer(7) != event_checksum(event)) return std::nullopt;
  return event;
}

void encode_event(Statement& statement, const Event& event) {
  statement.bind(1, event.id);
  statement.bind(2, std::string_view(event.uid));
  statement.bind(3, seconds_of(event.at));
  statement.bind(4, std::string_view(event.type));
  statement.bind(5, std::string_view(event.body));
  statement.bind(6, std::int64_t{event.attempts});
  statement.bind(7, seconds_of(event.next_attempt));
  statement.bind(8, event_checksum(event));
}

}  // namespace graft::state
