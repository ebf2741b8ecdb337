#include "state/schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "base/hash.hpp"
#include "state/history_rows.hpp"
#include "state/row_checksum.hpp"
#include "state/slot_details.hpp"

namespace graft::state {

namespace {

constexpr std::int64_t application_id = 0x67726664;  // "grfd": `file state.db` shows it
constexpr std::size_t salt_bytes = 16;

constexpr const char* common_tables = R"(
  CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE login (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    last_success INTEGER,
    refusals TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
)";

// Those that version 1 did not have, or had otherwise.
constexpr const char* tables_of_2 = R"(
  CREATE TABLE slot (
    organization INTEGER NOT NULL,
    account TEXT NOT NULL,
    token TEXT NOT NULL,
    generation INTEGER NOT NULL,
    phase TEXT NOT NULL,
    token_id INTEGER,
    details TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (organization, account, token)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    answer TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
)";

constexpr std::array<std::pair<Phase, std::string_view>, 3> phases{
    {{Phase::intent, "intent"}, {Phase::delivering, "delivering"}, {Phase::delivered, "delivered"}}};

using RequestKind = Request::Kind;
using RequestState = Request::State;
constexpr std::array<std::pair<RequestKind, std::string_view>, 2> request_kinds{
    {{RequestKind::rotate, "rotate"}, {RequestKind::verify, "verify"}}};
constexpr std::array<std::pair<RequestState, std::string_view>, 3> request_states{
    {{RequestState::open, "open"}, {RequestState::done, "done"}, {RequestState::failed, "failed"}}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  return std::ranges::find_if(table, [&](const auto& row) { return row.first == value; })->second;
}

template <class Table>
auto value_of(const Table& table, std::string_view word) -> std::optional<decltype(table[0].first)> {
  const auto found = std::ranges::find_if(table, [&](const auto& row) { return row.second == word; });
  return found == table.end() ? std::nullopt : std::optional(found->first);
}

std::string number_or_nothing(const std::optional<std::int64_t>& number) {
  return number ? fmt::format("{}", *number) : "";
}

std::int64_t slot_checksum(std::int64_t organization, std::string_view account, std::string_view token,
                           std::int64_t generation, std::string_view phase, const std::optional<std::int64_t>& id,
                           std::string_view details) {
  return checksum("slot", organization, account, token, generation, phase, number_or_nothing(id), details);
}

std::int64_t request_checksum(const Request& request) {
  return checksum("request", request.id, request.organization, request.name, word_of(request_kinds, request.kind),
                  request.asked_at.time_since_epoch().count(), word_of(request_states, request.state), request.answer);
}

std::int64_t login_checksum(std::string_view fingerprint, const std::optional<std::int64_t>& success,
                            std::string_view refusals) {
  return checksum("login", fingerprint, number_or_nothing(success), refusals);
}

WallTime to_time(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

std::string join(const std::vector<WallTime>& times) {
  std::string out;
  for (const WallTime time : times) out += fmt::format("{} ", time.time_since_epoch().count());
  return out;
}

std::vector<WallTime> split(const std::string& text) {
  std::vector<WallTime> out;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end; ++at) {
    std::int64_t seconds = 0;
    at = std::from_chars(at, end, seconds).ptr;
    out.push_back(to_time(seconds));
  }
  return out;
}

Status put_meta(Database& database, std::string_view name, const std::string& value) {
  auto statement = database.prepare("INSERT OR REPLACE INTO meta (name, value, checksum) VALUES (?1, ?2, ?3)");
  if (!statement) return fail(std::move(statement.error()));
  statement->bind(1, name);
  statement->bind(2, value);
  statement->bind(3, checksum("meta", name, value));
  return statement->run();
}

// nullopt: not there, or damaged.
Result<std::optional<std::string>> get_meta(Database& database, std::string_view name) {
  auto statement = database.prepare("SELECT value, checksum FROM meta WHERE name = ?1");
  if (!statement) return fail(std::move(statement.error()));
  statement->bind(1, name);
  const auto row = statement->step();
  if (!row) return fail(row.error());
  if (!*row || statement->integer(1) != checksum("meta", name, statement->text(0))) return std::nullopt;
  return statement->text(0);
}

// The rest of graftd prepares these later: a schema in which they fail is damaged.
Status try_writes(Database& database) {
  for (const std::string_view text :
       {sql::put_slot, sql::put_login, sql::one_slot, sql::one_login, sql::put_request, sql::one_request,
        sql::open_requests, sql::last_request, sql::forget_requests, sql::put_change, sql::last_change,
        sql::bound_changes, sql::put_event, sql::due_events, sql::last_event, sql::bound_events}) {
    if (auto statement = database.prepare(text); !statement) return fail(std::move(statement.error()));
  }
  const auto changes = database.prepare(query_text({}));
  return changes ? Status{} : fail(changes.error());
}

Status put_cycle(Database& database, std::uint64_t cycle) {
  return put_meta(database, "cycle", fmt::format("{}", cycle));
}

// Of the cycle that was numbered last.
Result<std::uint64_t> read_cycle(Database& database) {
  const auto text = get_meta(database, "cycle");
  if (!text) return fail(text.error());
  std::uint64_t cycle = 0;
  const bool there = text->has_value();
  const char* const end = there ? (*text)->data() + (*text)->size() : nullptr;
  if (there && std::from_chars((*text)->data(), end, cycle).ptr == end) return cycle;
  return fail(ErrorCode::io, "the state store has no number of cycles");
}

template <class Decode>
Result<bool> all_sound(Database& database, std::string_view select, Decode decode) {
  auto rows = database.prepare(select);
  if (!rows) return fail(std::move(rows.error()));
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return true;
    if (!decode(*rows)) return false;
  }
}

Error made_by_newer(std::int64_t version) {
  return Error(ErrorCode::invalid,
               fmt::format("the state store has version {}, this graftd knows up to {}: it was made by "
                           "a newer graftd",
                           version, schema_version))
      .with_hint("use that graftd again, or move the file away: losing it is safe, tokens are re-issued with care");
}

// What versions 2 and 3 have in common. The rows of the history are not judged: one that is damaged is left out when it
// is read.
Result<bool> rows_sound(Database& database) {
  const auto salt = get_meta(database, "salt");
  const auto slots = all_sound(database, sql::all_slots, decode_slot);
  const auto logins = slots ? all_sound(database, sql::all_logins, decode_login) : slots;
  const auto requests = logins ? all_sound(database, sql::all_requests, decode_request) : logins;
  if (!requests) return fail(requests.error());
  return salt && *salt && *slots && *logins && *requests;
}

// Any failure of SQL in here goes to inspect(), which tells damage from trouble.
Result<Soundness> read_all(Database& database) {
  const auto check = database.text("PRAGMA quick_check(1)");
  if (!check) return fail(check.error());
  if (*check != "ok") return Soundness::damaged;
  const auto objects = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) return fail(objects.error());
  if (*objects == 0) return Soundness::empty;
  const auto application = database.integer("PRAGMA application_id");
  const auto version = database.integer("PRAGMA user_version");
  const auto noted = get_meta(database, "version");
  if (!application || !version || !noted) return Soundness::damaged;
  if (*application != application_id || *noted != fmt::format("{}", *version)) return Soundness::damaged;
  if (*version > schema_version) return fail(made_by_newer(*version));
  if (*version == 1) return Soundness::outdated;
  if (*version < 1) return Soundness::damaged;
  const bool present = *version == schema_version;
  if (Status status = present ? try_writes(database) : Status{}; !status) return fail(std::move(status.error()));
  const auto sound = rows_sound(database);
  if (!sound) return fail(sound.error());
  const auto cycle = present ? read_cycle(database) : std::uint64_t{0};
  if (!*sound || !cycle) return Soundness::damaged;
  return present ? Soundness::sound : Soundness::outdated;
}

}  // namespace

Result<Soundness> inspect(Database& database) {
  auto soundness = read_all(database);
  if (!soundness && soundness.error().code == ErrorCode::io && means_damage(database.last_code()))
    return Soundness::damaged;
  return soundness;
}

Status create_schema(Database& database) {
  Status status = database.execute("BEGIN IMMEDIATE");
  if (status) status = database.execute(common_tables);
  if (status) status = database.execute(tables_of_2);
  if (status) status = database.execute(history_tables);
  if (status) status = put_cycle(database, 0);
  if (status) status = put_meta(database, "version", fmt::format("{}", schema_version));
  if (status) status = put_meta(database, "salt", random_hex(salt_bytes));
  const std::string pragmas =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT", application_id, schema_version);
  if (status) status = database.execute(pragmas.c_str());
  return status;
}

namespace {

// Version 1 knew generation, phase and token id of a slot, and no more.
std::optional<std::pair<SlotKey, SlotRecord>> decode_slot_of_1(const Statement& row) {
  const std::string phase = row.text(4);
  const auto known = value_of(phases, phase);
  const std::int64_t generation = row.integer(3);
  const auto id = row.optional_integer(5);
  const bool sound = row.integer(6) == checksum("slot", row.integer(0), row.text(1), row.text(2), generation, phase,
                                                number_or_nothing(id));
  if (!sound || !known || generation < 0 || generation > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  SlotRecord record{static_cast<std::uint32_t>(generation), *known};
  if (id) record.token_id = TokenId(*id);
  return std::pair(SlotKey{OrgId(row.integer(0)), row.text(1), row.text(2)}, record);
}

// nullopt: a row is damaged.
Result<std::optional<std::vector<std::pair<SlotKey, SlotRecord>>>> slots_of_1(Database& database) {
  auto rows = database.prepare("SELECT organization, account, token, generation, phase, token_id, checksum FROM slot");
  if (!rows) return fail(std::move(rows.error()));
  std::vector<std::pair<SlotKey, SlotRecord>> slots;
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return slots;
    auto slot = decode_slot_of_1(*rows);
    if (!slot) return std::nullopt;
    slots.push_back(std::move(*slot));
  }
}

Status rebuild_slots(Database& database, const std::vector<std::pair<SlotKey, SlotRecord>>& slots) {
  Status status = database.execute("DROP TABLE slot");
  if (status) status = database.execute(tables_of_2);
  for (const auto& [key, record] : slots) {
    if (!status) return status;
    auto statement = database.prepare(sql::put_slot);
    if (!statement) return fail(std::move(statement.error()));
    encode_slot(*statement, key, record);
    status = statement->run();
  }
  return status;
}

// false: it is damaged.
Result<bool> from_1_to_2(Database& database) {
  const auto slots = slots_of_1(database);
  if (!slots) return fail(slots.error());
  if (!*slots) return false;
  Status status = rebuild_slots(database, **slots);
  if (!status) return fail(std::move(status.error()));
  return true;
}

Status from_2_to_3(Database& database) {
  Status status = database.execute(history_tables);
  if (status) status = put_cycle(database, 0);
  if (status) status = put_meta(database, "version", fmt::format("{}", schema_version));
  if (status) status = database.execute(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
  return status;
}

}  // namespace

Result<bool> migrate(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return fail(std::move(begun.error()));
  const auto version = database.integer("PRAGMA user_version");  // read again: now nobody else changes it
  const Result<bool> sound = version && *version == 1 ? from_1_to_2(database) : Result<bool>(version.has_value());
  Status status = sound ? Status{} : fail(sound.error());
  if (sound && *sound && *version < schema_version) status = from_2_to_3(database);
  if (sound && *sound && status) status = database.execute("COMMIT");
  if (sound && *sound && status) return true;
  const int code = database.last_code();  // before the next call forgets it
  (void)database.execute("ROLLBACK");
  if (!status && !means_damage(code)) return fail(std::move(status.error()));
  return false;
}

Result<std::string> read_salt(Database& database) {
  auto salt = get_meta(database, "salt");
  if (!salt) return fail(std::move(salt.error()));
  if (!*salt) return fail(ErrorCode::io, "the state store has no salt");
  return std::move(**salt);
}

Result<std::uint64_t> count_cycle(Database& database, std::uint64_t last) {
  const auto kept = read_cycle(database);
  if (!kept) return fail(kept.error());
  const std::uint64_t next = std::max(*kept, last) + 1;
  if (Status written = put_cycle(database, next); !written) return fail(std::move(written.error()));
  return next;
}

std::optional<SlotRecord> decode_slot(const Statement& row) {
  const std::string phase = row.text(4), details = row.text(6);
  const auto known = value_of(phases, phase);
  const std::int64_t generation = row.integer(3);
  const auto id = row.optional_integer(5);
  const bool sound =
      row.integer(7) == slot_checksum(row.integer(0), row.text(1), row.text(2), generation, phase, id, details);
  if (!sound || !known || generation < 0 || generation > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  SlotRecord record{static_cast<std::uint32_t>(generation), *known};
  if (id) record.token_id = TokenId(*id);
  if (!read_details(details, record)) return std::nullopt;
  return record;
}

std::optional<std::pair<SlotKey, SlotRecord>> decode_keyed_slot(const Statement& row) {
  auto record = decode_slot(row);
  if (!record) return std::nullopt;
  return std::pair(SlotKey{OrgId(row.integer(0)), row.text(1), row.text(2)}, std::move(*record));
}

std::optional<Request> decode_request(const Statement& row) {
  const auto kind = value_of(request_kinds, row.text(3));
  const auto state = value_of(request_states, row.text(5));
  if (!kind || !state) return std::nullopt;
  Request request;
  request.id = row.integer(0);
  request.organization = row.text(1);
  request.name = row.text(2);
  request.kind = *kind;
  request.asked_at = to_time(row.integer(4));
  request.state = *state;
  request.answer = row.text(6);
  if (row.integer(7) != request_checksum(request)) return std::nullopt;
  return request;
}

std::optional<LoginRecord> decode_login(const Statement& row) {
  const auto success = row.optional_integer(1);
  const std::string refusals = row.text(2);
  if (row.integer(3) != login_checksum(row.text(0), success, refusals)) return std::nullopt;
  LoginRecord record;
  if (success) record.last_success = to_time(*success);
  record.refusals = split(refusals);
  return record;
}

void encode_slot(Statement& statement, const SlotKey& key, const SlotRecord& record) {
  const std::int64_t organization = key.organization.value();
  const std::int64_t generation = record.generation;
  const std::string_view phase = word_of(phases, record.phase);
  const std::string details = write_details(record);
  const auto id = record.token_id ? std::optional(record.token_id->value()) : std::nullopt;
  statement.bind(1, organization);
  statement.bind(2, std::string_view(key.account_login));
  statement.bind(3, std::string_view(key.token));
  statement.bind(4, generation);
  statement.bind(5, phase);
  statement.bind(6, id);
  statement.bind(7, std::string_view(details));
  statement.bind(8, slot_checksum(organization, key.account_login, key.token, generation, phase, id, details));
}

void encode_request(Statement& statement, const Request& request) {
  statement.bind(1, request.id);
  statement.bind(2, std::string_view(request.organization));
  statement.bind(3, std::string_view(request.name));
  statement.bind(4, word_of(request_kinds, request.kind));
  statement.bind(5, request.asked_at.time_since_epoch().count());
  statement.bind(6, word_of(request_states, request.state));
  statement.bind(7, std::string_view(request.answer));
  statement.bind(8, request_checksum(request));
}

void encode_login(Statement& statement, const std::string& fingerprint, const LoginRecord& record) {
  std::optional<std::int64_t> success;
  if (record.last_success) success = record.last_success->time_since_epoch().count();
  const std::string refusals = join(record.refusals);
  statement.bind(1, std::string_view(fingerprint));
  statement.bind(2, success);
  statement.bind(3, std::string_view(refusals));
  statement.bind(4, login_checksum(fingerprint, success, refusals));
}

}  // namespace graft::state
