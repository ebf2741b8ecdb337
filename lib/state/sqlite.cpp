#include "state/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/text.hpp"

namespace graft::state {

namespace {

constexpr int busy_timeout_ms = 5'000;  // `graftd plan` may be reading

std::string hint_for(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full: make room there";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "graftd must be able to write the state directory and the files in it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds it";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "it is damaged; the next start of graftd sets it aside and begins anew, which is safe";
    default:
      return "";
  }
}

Error error_of(sqlite3* database, std::string_view doing) {
  const int code = sqlite3_extended_errcode(database);
  const char* const file = sqlite3_db_filename(database, "main");
  const std::string_view path = file == nullptr ? "the state store" : file;
  return Error(ErrorCode::io,
               fmt::format("cannot {} {}: {} (SQLite code {})", doing, path, sqlite3_errmsg(database), code))
      .with_hint(hint_for(code))
      .retry();
}

// As a URI, so that `immutable` can be asked for; what would end the path in one is escaped.
std::string uri_of(const std::string& path, Database::Access access) {
  std::string out = "file:";
  for (const char c : path) out += c == '/' ? std::string(1, c) : url_encode(std::string_view(&c, 1));
  return access == Database::Access::immutable ? out + "?immutable=1" : out;
}

}  // namespace

bool means_damage(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a table or column that must be there is not
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return true;
    default:
      return false;
  }
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int parameter, std::int64_t value) { sqlite3_bind_int64(statement_.get(), parameter, value); }

void Statement::bind(int parameter, std::string_view value) {
  // SQLITE_TRANSIENT without its old-style cast.
  const auto copied = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
  sqlite3_bind_text(statement_.get(), parameter, value.data(), static_cast<int>(value.size()), copied);
}

void Statement::bind(int parameter, const std::optional<std::int64_t>& value) {
  if (value) {
    bind(parameter, *value);
  } else {
    sqlite3_bind_null(statement_.get(), parameter);
  }
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  return fail(error_of(database, sqlite3_stmt_readonly(statement_.get()) != 0 ? "read" : "write"));
}

Status Statement::run() {
  for (;;) {
    const auto row = step();
    if (!row) return fail(row.error());
    if (!*row) return {};
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string Statement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Access access) {
  const int rights = access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(uri_of(path, access).c_str(), &handle, rights | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, nullptr);
  if (handle == nullptr) return fail(ErrorCode::io, "no memory for the state store");
  Database database(handle);
  if (code != SQLITE_OK) return fail(error_of(handle, "open"));
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // A reader must not tidy up behind a writer that crashed.
  if (access != Access::read_write) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return database;
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(error_of(database_.get(), "use"));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return fail(error_of(database_.get(), "use"));
  return Statement(statement);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

Result<std::string> Database::text(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->text(0) : std::string();
}

int Database::last_code() const { return sqlite3_extended_errcode(database_.get()); }

bool Database::writable() const { return sqlite3_db_readonly(database_.get(), "main") == 0; }

}  // namespace graft::state
