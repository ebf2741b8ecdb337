#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/directory.hpp"
#include "state/directory_lock.hpp"
#include "state/schema.hpp"
#include "state/sqlite.hpp"
#include "state/sqlite_history.hpp"
#include "state/store.hpp"

namespace graft::state {

namespace {

constexpr const char* file_name = "state.db";
constexpr std::array<const char*, 3> suffixes{"", "-wal", "-shm"};  // what belongs to one SQLite database

Error damaged_row() {
  return Error(ErrorCode::io, "a row of the state store is damaged")
      .with_hint("the next start of graftd sets the store aside and begins anew, which is safe");
}

class SqliteStore final : public Store {
 public:
  SqliteStore(Descriptor lock, Database database, std::string salt)
      : lock_(std::move(lock)), database_(std::move(database)), salt_(std::move(salt)) {}

  Result<std::optional<SlotRecord>> slot(const SlotKey& key) override {
    auto statement = database_.prepare(sql::one_slot);
    if (!statement) return fail(std::move(statement.error()));
    statement->bind(1, key.organization.value());
    statement->bind(2, std::string_view(key.account_login));
    statement->bind(3, std::string_view(key.token));
    return one(*statement, decode_slot);
  }

  Status put_slot(const SlotKey& key, const SlotRecord& record) override {
    auto statement = database_.prepare(sql::put_slot);
    if (!statement) return fail(std::move(statement.error()));
    encode_slot(*statement, key, record);
    return statement->run();
  }

  Result<std::vector<std::pair<SlotKey, SlotRecord>>> slots() override {
    return all<std::pair<SlotKey, SlotRecord>>(sql::all_slots, decode_keyed_slot);
  }

  Result<std::int64_t> ask(const Request& request, WallTime forget) override {
    return in_transaction(database_, [&] { return ask_within(request, forget); });
  }

  Result<std::vector<Request>> open_requests() override { return all<Request>(sql::open_requests, decode_request); }

  Result<std::optional<Request>> request(std::int64_t id) override {
    auto statement = database_.prepare(sql::one_request);
    if (!statement) return fail(std::move(statement.error()));
    statement->bind(1, id);
    return one(*statement, decode_request);
  }

  Status answer(std::int64_t id, Request::State state, const std::string& text) override {
    auto asked = request(id);
    if (!asked) return fail(std::move(asked.error()));
    if (!*asked) return {};
    (*asked)->state = state;
    (*asked)->answer = text;
    return put(**asked);
  }

  Result<std::optional<LoginRecord>> login(const std::string& fingerprint) override {
    auto statement = database_.prepare(sql::one_login);
    if (!statement) return fail(std::move(statement.error()));
    statement->bind(1, std::string_view(fingerprint));
    return one(*statement, decode_login);
  }

  Status put_login(const std::string& fingerprint, const LoginRecord& record) override {
    auto statement = database_.prepare(sql::put_login);
    if (!statement) return fail(std::move(statement.error()));
    encode_login(*statement, fingerprint, record);
    return statement->run();
  }

  const std::string& salt() const override { return salt_; }

  Result<Recorded> record(const std::vector<Change>& changes, const std::vector<Event>& events,
                          std::size_t keep_changes, std::size_t keep_events) override {
    return history().record(changes, events, keep_changes, keep_events);
  }
  Result<std::vector<Change>> changes(const ChangeQuery& query) override { return history().changes(query); }
  Result<std::vector<Event>> due_events(WallTime now, std::size_t limit) override {
    return history().due_events(now, limit);
  }
  Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts) override {
    return history().put_event_outcome(id, next_attempt, attempts);
  }
  Result<std::size_t> drop_events(WallTime before) override { return history().drop_events(before); }
  Result<PendingEvents> pending_events() override { return history().pending_events(); }
  Result<std::uint64_t> next_cycle(std::uint64_t last) override {
    return in_transaction(database_, [&] { return count_cycle(database_, last); });
  }

 private:
  SqliteHistory history() { return SqliteHistory(database_); }

  Result<std::int64_t> ask_within(Request request, WallTime forget) {
    auto old = database_.prepare(sql::forget_requests);
    if (!old) return fail(std::move(old.error()));
    old->bind(1, forget.time_since_epoch().count());
    if (Status forgotten = old->run(); !forgotten) return fail(std::move(forgotten.error()));
    const auto last = database_.integer(sql::last_request);
    if (!last) return fail(last.error());
    request.id = *last + 1;
    if (Status kept = put(request); !kept) return fail(std::move(kept.error()));
    return request.id;
  }

  Status put(const Request& request) {
    auto statement = database_.prepare(sql::put_request);
    if (!statement) return fail(std::move(statement.error()));
    encode_request(*statement, request);
    return statement->run();
  }

  template <class Value>
  Result<std::vector<Value>> all(std::string_view select, std::optional<Value> (*decode)(const Statement&)) {
    auto rows = database_.prepare(select);
    if (!rows) return fail(std::move(rows.error()));
    std::vector<Value> values;
    for (;;) {
      const auto row = rows->step();
      if (!row) return fail(row.error());
      if (!*row) return values;
      auto value = decode(*rows);
      if (!value) return fail(damaged_row());
      values.push_back(std::move(*value));
    }
  }

  template <class Value>
  static Result<std::optional<Value>> one(Statement& statement, std::optional<Value> (*decode)(const Statement&)) {
    const auto row = statement.step();
    if (!row) return fail(row.error());
    if (!*row) return std::optional<Value>();
    auto value = decode(statement);
    if (!value) return fail(damaged_row());
    return value;
  }

  Descriptor lock_;  // declared first: given up last
  Database database_;
  std::string salt_;
};

// What lies in the directory says which tokens exist and when logins failed: nobody else may write it.
Status private_enough(const Directory& directory) {
  struct stat info{};
  if (::fstat(directory.descriptor(), &info) != 0) return fail(io_error("look at", directory.path(), errno));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return fail(Error(ErrorCode::io, fmt::format("the state directory {} may be written by others", directory.path()))
                  .with_hint(fmt::format("chmod go-w {}", directory.path()))
                  .retry());
}

// Made by us with 0600 before SQLite sees it, which would take the umask; its other files copy the mode of this one.
Status make_file(const Directory& directory) {
  const Descriptor file(::openat(directory.descriptor(), file_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.open()) return fail(io_error("open", directory.path_of(file_name), errno));
  if (::fchmod(file.get(), 0600) != 0) return fail(io_error("set the mode of", directory.path_of(file_name), errno));
  return directory.sync();
}

Result<std::string> set_aside(const Directory& directory) {
  std::string stamp = format_rfc3339(system_clock().wall());
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  std::string target = fmt::format("{}.corrupt-{}", file_name, stamp);
  for (int i = 2; ::faccessat(directory.descriptor(), target.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0; ++i)
    target = fmt::format("{}.corrupt-{}-{}", file_name, stamp, i);
  const int in = directory.descriptor();
  // The log first: a fresh database must never meet the log of the old one.
  for (auto suffix = suffixes.rbegin(); suffix != suffixes.rend(); ++suffix) {
    const std::string from = std::string(file_name) + *suffix;
    if (::renameat(in, from.c_str(), in, (target + *suffix).c_str()) != 0 && errno != ENOENT)
      return fail(io_error("set aside", directory.path_of(from), errno));
  }
  if (auto status = directory.sync(); !status) return fail(std::move(status.error()));
  return directory.path_of(target);
}

enum class Upgrade : bool { no, yes };  // whether a file of an earlier version may be changed

Result<Soundness> open_and_inspect(const Directory& directory, std::optional<Database>& out, Upgrade upgrade) {
  if (auto status = make_file(directory); !status) return fail(std::move(status.error()));
  auto database = Database::open(directory.path_of(file_name), Database::Access::read_write);
  if (!database) return fail(std::move(database.error()));
  auto soundness = inspect(*database);
  // We may write the file, or make_file() had failed: then it is the file's own head that forbids it.
  if (soundness && !database->writable()) soundness = Soundness::damaged;
  if (soundness && *soundness == Soundness::outdated && upgrade == Upgrade::yes) {
    const auto migrated = migrate(*database);
    if (!migrated) return fail(migrated.error());
    soundness = *migrated ? inspect(*database) : Soundness::damaged;
  }
  out.emplace(std::move(*database));
  return soundness;
}

Status prepare_for_writing(Database& database, Soundness soundness) {
  const auto mode = database.text("PRAGMA journal_mode = WAL");
  if (!mode) return fail(mode.error());
  if (*mode != "wal")
    return fail(Error(ErrorCode::io, fmt::format("the state store cannot be kept in WAL mode but in {}", *mode))
                    .with_hint("the state directory must lie on a local file system"));
  if (auto status = database.execute("PRAGMA synchronous = FULL"); !status) return status;
  return soundness == Soundness::empty ? create_schema(database) : Status{};
}

Result<Opened> open_for_writing(const std::string& path) {
  auto directory = Directory::open_or_make(path, 0700);
  if (!directory) return fail(std::move(directory.error()));
  if (auto status = private_enough(*directory); !status) return fail(std::move(status.error()));
  auto lock = lock_directory(*directory);
  if (!lock) return fail(std::move(lock.error()));
  Opened opened;
  std::optional<Database> database;
  auto soundness = open_and_inspect(*directory, database, Upgrade::yes);
  if (soundness && *soundness == Soundness::damaged) {
    database.reset();
    auto moved = set_aside(*directory);
    if (!moved) return fail(std::move(moved.error()));
    opened.set_aside = std::move(*moved);
    soundness = open_and_inspect(*directory, database, Upgrade::yes);
  }
  if (!soundness) return fail(std::move(soundness.error()));
  if (auto status = prepare_for_writing(*database, *soundness); !status) return fail(std::move(status.error()));
  auto salt = read_salt(*database);
  if (!salt) return fail(std::move(salt.error()));
  opened.store = std::make_unique<SqliteStore>(std::move(*lock), std::move(*database), std::move(*salt));
  return opened;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<Opened> open_for_reading(const std::string& path) {
  const std::string file = (path.ends_with('/') ? path : path + "/") + file_name;
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0 && errno != ENOENT && errno != ENOTDIR)
    return fail(io_error("read", file, errno));
  Opened opened;
  opened.store = make_memory_store();
  if (info.st_size == 0 && !exists(file + "-wal")) return opened;
  // Without a log nobody writes it, and not even SQLite's helper files need to be made.
  const auto access = exists(file + "-wal") ? Database::Access::read_only : Database::Access::immutable;
  auto database = Database::open(file, access);
  if (!database) return fail(std::move(database.error()));
  auto soundness = inspect(*database);
  if (!soundness) return fail(std::move(soundness.error()));
  if (*soundness == Soundness::empty) return opened;
  if (*soundness == Soundness::damaged)
    return fail(Error(ErrorCode::io, fmt::format("the state store {} is damaged", file))
                    .with_hint("the next start of graftd run or apply sets it aside and begins anew, which is safe"));
  if (*soundness == Soundness::outdated)
    return fail(Error(ErrorCode::io, fmt::format("the state store {} is of an earlier version of graftd", file))
                    .with_hint("the next start of graftd run or apply brings it to the present version"));
  auto salt = read_salt(*database);
  if (!salt) return fail(std::move(salt.error()));
  opened.store = std::make_unique<SqliteStore>(Descriptor(), std::move(*database), std::move(*salt));
  return opened;
}

// Without the lock nothing is set aside, and what is in anybody's way is left alone: SQLite's own locks keep two
// writers of login records apart.
Result<Opened> open_shared(const std::string& path) {
  auto directory = Directory::open_or_make(path, 0700);
  if (!directory || ::faccessat(directory->descriptor(), ".", W_OK, AT_EACCESS) != 0) return open_for_reading(path);
  if (auto status = private_enough(*directory); !status) return fail(std::move(status.error()));
  std::optional<Database> database;
  const auto soundness = open_and_inspect(*directory, database, Upgrade::no);
  const bool usable = soundness && (*soundness == Soundness::sound || *soundness == Soundness::empty);
  if (!usable) return open_for_reading(path);
  if (auto status = prepare_for_writing(*database, *soundness); !status) return open_for_reading(path);
  auto salt = read_salt(*database);
  if (!salt) return fail(std::move(salt.error()));
  Opened opened;
  opened.store = std::make_unique<SqliteStore>(Descriptor(), std::move(*database), std::move(*salt));
  return opened;
}

}  // namespace

Result<Opened> open_store(const std::string& directory, OpenMode mode) {
  switch (mode) {
    case OpenMode::read_write:
      return open_for_writing(directory);
    case OpenMode::shared:
      return open_shared(directory);
    case OpenMode::read_only:
      break;
  }
  return open_for_reading(directory);
}

}  // namespace graft::state
