// The tables of the state store and what makes a file sound. SQLite keeps no checksums of its own, so every row carries
// one: a flipped bit must not change a token's generation unseen. Version 1 had slots and logins, 2 brought requests, 3
// the history (history_rows.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "state/sqlite.hpp"
#include "state/store.hpp"

namespace graft::state {

constexpr std::int64_t schema_version = 3;

enum class Soundness : std::uint8_t {
  sound,
  empty,
  damaged,
  outdated,  // of an earlier version, and sound as far as can be told: migrate() makes it sound or finds it damaged
};

// Reads everything once. An error: the file cannot be judged (rights, disk), or a newer graftd made it (invalid).
[[nodiscard]] Result<Soundness> inspect(Database& database);

// Brings a file of an earlier version to the present one, in one transaction. false: it is damaged, and as it was.
[[nodiscard]] Result<bool> migrate(Database& database);

// Makes the tables in an empty file, with a new salt.
[[nodiscard]] Status create_schema(Database& database);
[[nodiscard]] Result<std::string> read_salt(Database& database);
// The next number of a cycle, greater than `last` too; within a transaction of the caller's.
[[nodiscard]] Result<std::uint64_t> count_cycle(Database& database, std::uint64_t last);

namespace sql {
constexpr std::string_view all_slots =
    "SELECT organization, account, token, generation, phase, token_id, details, checksum FROM slot"
    " ORDER BY organization, account, token";
constexpr std::string_view one_slot =
    "SELECT organization, account, token, generation, phase, token_id, details, checksum FROM slot"
    " WHERE organization = ?1 AND account = ?2 AND token = ?3";
constexpr std::string_view put_slot =
    "INSERT OR REPLACE INTO slot (organization, account, token, generation, phase, token_id, details, checksum)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr std::string_view all_requests =
    "SELECT id, organization, name, kind, asked_at, state, answer, checksum FROM request ORDER BY id";
constexpr std::string_view open_requests =
    "SELECT id, organization, name, kind, asked_at, state, answer, checksum FROM request WHERE state = 'open'"
    " ORDER BY id";
constexpr std::string_view one_request =
    "SELECT id, organization, name, kind, asked_at, state, answer, checksum FROM request WHERE id = ?1";
constexpr std::string_view put_request =
    "INSERT OR REPLACE INTO request (id, organization, name, kind, asked_at, state, answer, checksum)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr std::string_view last_request =
    "SELECT max(ifnull((SELECT max(id) FROM request), 0), ifnull((SELECT seq FROM sqlite_sequence WHERE name = "
    "'request'), 0))";
constexpr std::string_view forget_requests = "DELETE FROM request WHERE state <> 'open' AND asked_at < ?1";
constexpr std::string_view all_logins = "SELECT fingerprint, last_success, refusals, checksum FROM login";
constexpr std::string_view one_login =
    "SELECT fingerprint, last_success, refusals, checksum FROM login WHERE fingerprint = ?1";
constexpr std::string_view put_login =
    "INSERT OR REPLACE INTO login (fingerprint, last_success, refusals, checksum) VALUES (?1, ?2, ?3, ?4)";
}  // namespace sql

// Rows to values and back. nullopt: the row is damaged.
[[nodiscard]] std::optional<SlotRecord> decode_slot(const Statement& row);
[[nodiscard]] std::optional<std::pair<SlotKey, SlotRecord>> decode_keyed_slot(const Statement& row);
[[nodiscard]] std::optional<Request> decode_request(const Statement& row);
[[nodiscard]] std::optional<LoginRecord> decode_login(const Statement& row);
void encode_slot(Statement& statement, const SlotKey& key, const SlotRecord& record);
void encode_request(Statement& statement, const Request& request);
void encode_login(Statement& statement, const std::string& fingerprint, const LoginRecord& record);

}  // namespace graft::state
