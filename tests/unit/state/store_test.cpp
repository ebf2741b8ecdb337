#include "state/store.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <functional>
#include <map>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.hpp"
#include "state/locked_store.hpp"
#include "support/temporary_directory.hpp"

namespace graft::state {

namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

WallTime at(std::int64_t second) { return WallTime{std::chrono::seconds{second}}; }
SlotKey key(std::int64_t organization = 2, std::string account = "sa-2-test", std::string token = "test-token") {
  return {OrgId(organization), std::move(account), std::move(token)};
}
SlotRecord delivered(std::uint32_t generation) { return {generation, Phase::delivered, TokenId(17)}; }

SlotRecord full_record() {
  SlotRecord record{7, Phase::delivered, TokenId(17)};
  record.in_use =
      DeliveredKey{7, TokenId(17), "0123456789abcdef", std::chrono::seconds(60), at(100), at(110), at(160), at(140)};
  record.sinks = {{"file a/b", "1:2:3", std::nullopt}, {"secret ns/n/k", "", at(120)}};
  record.reissues = {at(1), at(2)};
  record.organization = "Main Org. \"ö\"";
  record.name = "test/test-token";
  record.problem = "the key is missing";
  return record;
}

Request rotate_request(std::int64_t asked_at = 5) {
  Request request;
  request.organization = "apiorg";
  request.name = "test/test-token";
  request.kind = Request::Kind::rotate;
  request.asked_at = at(asked_at);
  return request;
}

Opened open_rw(const std::string& directory) {
  auto opened = open_store(directory, OpenMode::read_write);
  REQUIRE_MESSAGE(opened, opened.error().describe());
  return std::move(*opened);
}

// Every file of a directory with its content; what "nothing was changed" is judged by.
std::map<std::string, std::string> contents(const TemporaryDirectory& place) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(place.path())) {
    const std::string name = fs::relative(entry.path(), place.path()).string();
    out[name] = entry.is_regular_file() ? place.read(name) : "";
  }
  return out;
}

std::vector<std::string> names(const TemporaryDirectory& place) {
  std::vector<std::string> out;
  for (const auto& [name, content] : contents(place)) out.push_back(name);
  return out;
}

// Runs raw SQL on the store's file, as a newer graftd or a meddler would.
void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

// As schema.cpp makes it: CRC-32 of the values, each ended by 0x1f.
std::string row_checksum(const std::vector<std::string>& values) {
  std::string joined;
  for (const std::string& value : values) joined += value + "\x1f";
  return std::to_string(crc32_ieee(joined));
}

// A store as version 1 made it: one slot, one login.
void make_store_of_version_1(const TemporaryDirectory& place, const std::string& generation_checksum) {
  fs::create_directories(place / "state");
  fs::permissions(place / "state", fs::perms::owner_all);
  run_sql(place / "state/state.db",
          "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL)"
          " STRICT, WITHOUT ROWID;"
          "CREATE TABLE slot (organization INTEGER NOT NULL, account TEXT NOT NULL, token TEXT NOT NULL, generation"
          " INTEGER NOT NULL, phase TEXT NOT NULL, token_id INTEGER, checksum INTEGER NOT NULL,"
          " PRIMARY KEY (organization, account, token)) STRICT, WITHOUT ROWID;"
          "CREATE TABLE login (fingerprint TEXT NOT NULL PRIMARY KEY, last_success INTEGER, refusals TEXT NOT NULL,"
          " checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
          "INSERT INTO meta VALUES ('version', '1', " +
              row_checksum({"meta", "version", "1"}) + "), ('salt', 'abc', " + row_checksum({"meta", "salt", "abc"}) +
              ");"
              "INSERT INTO slot VALUES (2, 'sa-2-test', 'test-token', 5, 'delivered', 17, " +
              generation_checksum +
              ");"
              "INSERT INTO login VALUES ('f', 7, '8 9 ', " +
              row_checksum({"login", "f", "7", "8 9 "}) +
              ");"
              "PRAGMA application_id = 1735550564; PRAGMA user_version = 1");
}

// A store as version 2 made it: one slot, one login, one request.
void make_store_of_version_2(const TemporaryDirectory& place, const std::string& request_checksum) {
  fs::create_directories(place / "state");
  fs::permissions(place / "state", fs::perms::owner_all);
  const std::string details = R"({"inUse":null,"name":"test/test-token","organization":"apiorg","problem":"",)"
                              R"("reissues":[],"sinks":[]})";
  run_sql(place / "state/state.db",
          "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL)"
          " STRICT, WITHOUT ROWID;"
          "CREATE TABLE login (fingerprint TEXT NOT NULL PRIMARY KEY, last_success INTEGER, refusals TEXT NOT NULL,"
          " checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
          "CREATE TABLE slot (organization INTEGER NOT NULL, account TEXT NOT NULL, token TEXT NOT NULL, generation"
          " INTEGER NOT NULL, phase TEXT NOT NULL, token_id INTEGER, details TEXT NOT NULL, checksum INTEGER NOT NULL,"
          " PRIMARY KEY (organization, account, token)) STRICT, WITHOUT ROWID;"
          "CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, name TEXT NOT NULL,"
          " kind TEXT NOT NULL, asked_at INTEGER NOT NULL, state TEXT NOT NULL, answer TEXT NOT NULL,"
          " checksum INTEGER NOT NULL) STRICT;"
          "INSERT INTO meta VALUES ('version', '2', " +
              row_checksum({"meta", "version", "2"}) + "), ('salt', 'abc', " + row_checksum({"meta", "salt", "abc"}) +
              ");INSERT INTO login VALUES ('f', 7, '8 9 ', " + row_checksum({"login", "f", "7", "8 9 "}) +
              ");INSERT INTO slot VALUES (2, 'sa-2-test', 'test-token', 5, 'delivered', 17, '" + details + "', " +
              row_checksum({"slot", "2", "sa-2-test", "test-token", "5", "delivered", "17", details}) +
              ");INSERT INTO request VALUES (3, 'apiorg', 'test/test-token', 'rotate', 5, 'open', '', " +
              request_checksum + ");PRAGMA application_id = 1735550564; PRAGMA user_version = 2");
}

// A child process that opens the store and stays until killed.
class Holder {
 public:
  explicit Holder(const std::string& directory) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    process_ = ::fork();
    if (process_ == 0) {
      const auto opened = open_store(directory, OpenMode::read_write);
      const char ready = opened && opened->store->put_slot(key(), delivered(1)) ? 'y' : 'n';
      if (::write(pipe_ends[1], &ready, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char ready = 0;
    CHECK(::read(pipe_ends[0], &ready, 1) == 1);
    CHECK(ready == 'y');
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_;
};

}  // namespace

TEST_CASE("all stores keep what they are told, by key") {
  TemporaryDirectory place;
  const std::map<std::string, std::function<std::unique_ptr<Store>()>> makers{
      {"memory", [] { return make_memory_store(); }},
      {"locked", [] { return make_locked_store(make_memory_store()); }},
      {"sqlite", [&] { return open_rw(place / "state").store; }},
  };
  for (const auto& [kind, make] : makers) {
    CAPTURE(kind);
    const auto store = make();
    CHECK(store->salt().size() == 32);
    CHECK(store->slot(key()).value() == std::nullopt);
    CHECK(store->login("f").value() == std::nullopt);
    const std::vector<std::pair<SlotKey, SlotRecord>> slots{
        {key(), {1, Phase::intent, std::nullopt}},
        {key(3), {4'294'967'295U, Phase::delivering, TokenId(std::int64_t{1} << 60)}},
        {key(2, "sa-2-öther"), {0, Phase::delivered, TokenId(0)}},
        {key(2, "sa-2-test", "it's; DROP TABLE slot --"), {7, Phase::delivered, TokenId(-1)}},
        {key(2, "", ""), {8, Phase::intent, std::nullopt}},
        {key(2, "SA-2-TEST"), {9, Phase::intent, std::nullopt}},
    };
    for (const auto& [where, record] : slots) REQUIRE(store->put_slot(where, record));
    for (const auto& [where, record] : slots) CHECK(store->slot(where).value() == record);
    REQUIRE(store->put_slot(key(), delivered(2)));
    CHECK(store->slot(key()).value() == delivered(2));
    REQUIRE(store->put_slot(key(), {3, Phase::intent, std::nullopt}));
    CHECK(store->slot(key()).value() == SlotRecord{3, Phase::intent, std::nullopt});
    CHECK(store->slot(key(4)).value() == std::nullopt);
    REQUIRE(store->put_slot(key(5), full_record()));
    CHECK(store->slot(key(5)).value() == full_record());
    const auto all = store->slots();
    REQUIRE(all);
    CHECK(all->size() == 7);
    CHECK(std::ranges::is_sorted(*all, {}, [](const auto& slot) { return slot.first; }));
    CHECK(all->back() == std::pair(key(5), full_record()));

    CHECK(store->open_requests().value().empty());
    const std::int64_t first = store->ask(rotate_request(), at(0)).value();
    const std::int64_t second = store->ask(rotate_request(6), at(0)).value();
    CHECK(second > first);
    CHECK(store->open_requests().value().size() == 2);
    REQUIRE(store->answer(first, Request::State::done, "generation 2"));
    CHECK(store->open_requests().value().at(0).id == second);
    CHECK(store->request(first).value()->answer == "generation 2");
    CHECK(store->request(first).value()->state == Request::State::done);
    CHECK(store->request(99).value() == std::nullopt);
    CHECK(store->answer(99, Request::State::done, ""));
    const std::int64_t third = store->ask(rotate_request(7), at(6)).value();  // forgets the answered one of before
    CHECK(third > second);
    CHECK(store->request(first).value() == std::nullopt);
    CHECK(store->open_requests().value().size() == 2);
    const std::vector<LoginRecord> logins{
        {}, {at(5), {}}, {std::nullopt, {at(1)}}, {at(-7), {at(1), at(2), at(1'800'000'000)}}};
    for (const LoginRecord& record : logins) {
      REQUIRE(store->put_login("f", record));
      CHECK(store->login("f").value() == record);
    }
    CHECK(store->login("g").value() == std::nullopt);
  }
  CHECK(make_memory_store()->salt() != make_memory_store()->salt());
}

TEST_CASE("a store is found again as it was left, its directory and files for us alone") {
  TemporaryDirectory place;
  const mode_t before = ::umask(0);
  std::string salt;
  {
    const auto opened = open_rw(place / "a/state");
    salt = opened.store->salt();
    REQUIRE(opened.store->put_slot(key(), delivered(5)));
    for (const char* file : {"state.db", "state.db-wal", "state.db-shm", "lock"}) {
      struct stat info{};
      REQUIRE(::stat((place / ("a/state/" + std::string(file))).c_str(), &info) == 0);
      CHECK((info.st_mode & 0777U) == 0600);
    }
  }
  ::umask(before);
  struct stat info{};
  ::stat((place / "a/state").c_str(), &info);
  CHECK((info.st_mode & 0777U) == 0700);
  CHECK(names(place) == std::vector<std::string>{"a", "a/state", "a/state/lock", "a/state/state.db"});
  const auto again = open_rw(place / "a/state");
  CHECK(again.set_aside.empty());
  CHECK(again.store->salt() == salt);
  CHECK(again.store->slot(key()).value() == delivered(5));
}

TEST_CASE("a directory that others may write is refused with the command that mends it") {
  TemporaryDirectory place;
  fs::create_directory(place / "state");
  for (const unsigned mode : {0770U, 0707U, 01777U}) {
    ::chmod((place / "state").c_str(), mode);
    const auto opened = open_store(place / "state", OpenMode::read_write);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::io);
    CHECK(opened.error().hint == "chmod go-w " + place / "state");
  }
  CHECK(names(place) == std::vector<std::string>{"state"});
  ::chmod((place / "state").c_str(), 0755);
  CHECK(open_store(place / "state", OpenMode::read_write));
}

TEST_CASE("a second graftd is refused and told who holds the directory; a dead one holds nothing") {
  TemporaryDirectory place;
  Holder holder(place / "state");
  const auto refused = open_store(place / "state", OpenMode::read_write);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::blocked);
  CHECK(refused.error().message.find("(process " + std::to_string(holder.process()) + ")") != std::string::npos);
  holder.kill();
  const auto opened = open_rw(place / "state");
  CHECK(opened.set_aside.empty());
  CHECK(opened.store->slot(key()).value() == delivered(1));
  CHECK(open_store(place / "state", OpenMode::read_write).error().code ==
        ErrorCode::blocked);  // within one process too
}

TEST_CASE("a process killed while it writes loses nothing that was acknowledged") {
  TemporaryDirectory place;
  std::uint32_t last = 0;
  for (int round = 0; round < 10; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = open_store(place / "state", OpenMode::read_write);
      for (std::uint32_t i = last + 1; opened; ++i) {
        if (!opened->store->put_slot(key(), delivered(i))) break;
        if (::write(pipe_ends[1], &i, sizeof i) != sizeof i) break;
      }
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    std::uint32_t seen = 0;
    for (int i = 0; i < 3 + round; ++i) {
      if (::read(pipe_ends[0], &seen, sizeof seen) == sizeof seen) last = seen;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &seen, sizeof seen) == sizeof seen) last = seen;
    ::close(pipe_ends[0]);
    const auto opened = open_rw(place / "state");
    CHECK(opened.set_aside.empty());
    const auto record = opened.store->slot(key()).value();
    REQUIRE(record);
    CHECK(record->generation >= last);
    CHECK(record->generation <= last + 1);
    last = record->generation;
  }
}

TEST_CASE("reading alone changes nothing and needs no lock") {
  TemporaryDirectory place;
  const auto nothing = open_store(place / "absent", OpenMode::read_only);
  REQUIRE(nothing);
  CHECK(nothing->store->slot(key()).value() == std::nullopt);
  CHECK(nothing->store->salt().size() == 32);
  CHECK(names(place).empty());
  {
    const auto opened = open_rw(place / "state");
    REQUIRE(opened.store->put_slot(key(), delivered(5)));
    const auto beside = open_store(place / "state", OpenMode::read_only);  // while the daemon runs
    REQUIRE(beside);
    CHECK(beside->store->slot(key()).value() == delivered(5));
    CHECK(beside->store->salt() == opened.store->salt());
    REQUIRE(opened.store->put_slot(key(), delivered(6)));
    CHECK(beside->store->slot(key()).value() == delivered(6));
    CHECK(beside->store->put_slot(key(), delivered(9)).error().code == ErrorCode::io);
  }
  const auto before = contents(place);
  {
    const auto after = open_store(place / "state", OpenMode::read_only);
    REQUIRE(after);
    CHECK(after->store->slot(key()).value() == delivered(6));
  }
  CHECK(contents(place) == before);
}

TEST_CASE("reading what a killed process has left sees its last write and leaves its files") {
  TemporaryDirectory place;
  Holder(place / "state").kill();
  const auto before = contents(place);
  {
    const auto opened = open_store(place / "state", OpenMode::read_only);
    REQUIRE_MESSAGE(opened, opened.error().describe());
    CHECK(opened->store->slot(key()).value() == delivered(1));
  }
  const auto after = contents(place);
  CHECK(after.at("state/state.db") == before.at("state/state.db"));
  CHECK(after.at("state/state.db-wal") == before.at("state/state.db-wal"));
  CHECK(open_rw(place / "state").store->slot(key()).value() == delivered(1));
}

TEST_CASE("a store of version 1 is brought to the present one, and only by who holds the lock") {
  TemporaryDirectory place;
  make_store_of_version_1(place, row_checksum({"slot", "2", "sa-2-test", "test-token", "5", "delivered", "17"}));
  const std::string before = place.read("state/state.db");
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::shared}) {
    const auto reading = open_store(place / "state", mode);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().describe().find("earlier version") != std::string::npos);
  }
  for (int start = 0; start < 2; ++start) {
    const auto opened = open_rw(place / "state");
    CHECK(opened.set_aside.empty());
    CHECK(opened.store->salt() == "abc");
    CHECK(opened.store->slot(key()).value() == SlotRecord{5, Phase::delivered, TokenId(17)});
    CHECK(opened.store->login("f").value() == LoginRecord{at(7), {at(8), at(9)}});
    CHECK(opened.store->open_requests().value().empty());
  }
  CHECK(open_store(place / "state", OpenMode::read_only));
}

TEST_CASE("a damaged store of version 1 is set aside as it was") {
  TemporaryDirectory place;
  make_store_of_version_1(place, "12345");
  const auto opened = open_rw(place / "state");
  CHECK_FALSE(opened.set_aside.empty());
  CHECK(opened.store->slot(key()).value() == std::nullopt);
}

TEST_CASE("a store of version 2 is brought to the present one, and only by who holds the lock") {
  TemporaryDirectory place;
  make_store_of_version_2(place,
                          row_checksum({"request", "3", "apiorg", "test/test-token", "rotate", "5", "open", ""}));
  const std::string before = place.read("state/state.db");
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::shared}) {
    const auto reading = open_store(place / "state", mode);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().describe().find("earlier version") != std::string::npos);
    CHECK(place.read("state/state.db") == before);
  }
  for (std::uint64_t start = 1; start < 3; ++start) {
    const auto opened = open_rw(place / "state");
    CHECK(opened.set_aside.empty());
    CHECK(opened.store->salt() == "abc");
    CHECK(opened.store->slot(key()).value()->generation == 5);
    CHECK(opened.store->slot(key()).value()->name == "test/test-token");
    CHECK(opened.store->login("f").value() == LoginRecord{at(7), {at(8), at(9)}});
    CHECK(opened.store->open_requests().value().at(0).id == 3);
    CHECK(opened.store->next_cycle(0).value() == start);
    CHECK(opened.store->changes({}).value().size() == start - 1);
    REQUIRE(opened.store->record({Change()}, {}, 10, 10));
  }
  CHECK(open_store(place / "state", OpenMode::read_only));
}

TEST_CASE("a damaged store of version 2 is set aside as it was") {
  TemporaryDirectory place;
  make_store_of_version_2(place, "12345");
  const std::string before = place.read("state/state.db");
  const auto opened = open_rw(place / "state");
  REQUIRE_FALSE(opened.set_aside.empty());
  CHECK(place.read(fs::relative(opened.set_aside, place.path()).string()) == before);
  CHECK(opened.store->slot(key()).value() == std::nullopt);
}

TEST_CASE("a file of a newer graftd is left alone") {
  TemporaryDirectory place;
  open_rw(place / "state");
  run_sql(place / "state/state.db", "PRAGMA user_version = 4; UPDATE meta SET value = '4', checksum = " +
                                        row_checksum({"meta", "version", "4"}) + " WHERE name = 'version'");
  const auto before = contents(place);
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write}) {
    const auto opened = open_store(place / "state", mode);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::invalid);
    CHECK(opened.error().message.find("newer graftd") != std::string::npos);
    CHECK(contents(place).at("state/state.db") == before.at("state/state.db"));
  }
}

TEST_CASE("what is no store of ours is set aside by name, whole, and a fresh one is begun") {
  struct Row {
    std::string situation;
    std::function<void(const std::string&)> damage;
  };
  const auto write = [](const std::string& content) {
    return [content](const std::string& file) { std::ofstream(file, std::ios::binary) << content; };
  };
  const auto sql = [](const std::string& text) { return [text](const std::string& file) { run_sql(file, text); }; };
  const std::vector<Row> rows{
      {"text",
       write(
           "this is no database, but it is longer than the head of one would be, so that SQLite looks at it in full")},
      {"zeros", write(std::string(8192, '\0'))},
      {"two bytes", write("xy")},
      {"a table gone", sql("DROP TABLE login")},
      {"a column gone", sql("ALTER TABLE slot DROP COLUMN token_id")},
      {"a generation edited", sql("UPDATE slot SET generation = 1")},
      {"a phase edited", sql("UPDATE slot SET phase = 'intent'")},
      {"a phase unknown", sql("UPDATE slot SET phase = 'lost'")},
      {"a slot moved to another organization", sql("UPDATE slot SET organization = 3")},
      {"a refusal forgotten", sql("UPDATE login SET refusals = ''")},
      {"the salt edited", sql("UPDATE meta SET value = 'x' WHERE name = 'salt'")},
      {"the salt gone", sql("DELETE FROM meta WHERE name = 'salt'")},
      {"versions that disagree", sql("PRAGMA user_version = 4")},
      {"of an earlier version, by its head alone", sql("PRAGMA user_version = 2")},
      {"the details of a slot edited", sql("UPDATE slot SET details = '{}'")},
      {"a request edited", sql("UPDATE request SET name = 'test/other'")},
      {"the requests gone", sql("DROP TABLE request")},
      {"the history gone", sql("DROP TABLE change")},
      {"the outbox gone", sql("DROP TABLE event")},
      {"the number of cycles edited", sql("UPDATE meta SET value = '9' WHERE name = 'cycle'")},
      {"the number of cycles gone", sql("DELETE FROM meta WHERE name = 'cycle'")},
      {"no version", sql("PRAGMA user_version = 0")},
      {"another application's", sql("PRAGMA application_id = 1")},
  };
  for (const Row& row : rows) {
    CAPTURE(row.situation);
    TemporaryDirectory place;
    {
      const auto opened = open_rw(place / "state");
      REQUIRE(opened.store->put_slot(key(), delivered(5)));
      REQUIRE(opened.store->put_login("f", {at(1), {at(2)}}));
      REQUIRE(opened.store->ask(rotate_request(), at(0)));
    }
    row.damage(place / "state/state.db");
    const std::string damaged = place.read("state/state.db");
    const auto reading = open_store(place / "state", OpenMode::read_only);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == ErrorCode::io);
    const auto opened = open_rw(place / "state");
    REQUIRE(opened.set_aside.starts_with(place / "state/state.db.corrupt-2"));
    CHECK(place.read(fs::relative(opened.set_aside, place.path()).string()) == damaged);
    CHECK(opened.store->slot(key()).value() == std::nullopt);
    REQUIRE(opened.store->put_slot(key(), delivered(6)));
    CHECK(opened.store->slot(key()).value() == delivered(6));
  }
}

TEST_CASE("several damaged files are kept side by side") {
  TemporaryDirectory place;
  std::vector<std::string> kept;
  for (int i = 0; i < 3; ++i) {
    place.write("state/state.db", std::string(5000, static_cast<char>('a' + i)));
    ::chmod((place / "state").c_str(), 0700);
    kept.push_back(open_rw(place / "state").set_aside);
  }
  std::sort(kept.begin(), kept.end());
  CHECK(std::unique(kept.begin(), kept.end()) == kept.end());
  for (const std::string& file : kept) CHECK(fs::file_size(file) == 5000);
}

TEST_CASE("bits flipped anywhere in the file: the start succeeds and no wrong record is ever given") {
  TemporaryDirectory place;
  const LoginRecord login{at(1), {at(2), at(3)}};
  {
    const auto opened = open_rw(place / "state");
    for (int i = 1; i <= 20; ++i) REQUIRE(opened.store->put_slot(key(i), delivered(5)));
    REQUIRE(opened.store->put_login("f", login));
  }
  const std::string whole = place.read("state/state.db");
  int set_aside = 0, sound = 0;
  std::size_t step = 1;
  for (std::size_t offset = 0; offset < whole.size(); offset += step) {
    CAPTURE(offset);
    // Every byte of the file's head, a sample of the rest: pages are alike.
    step = offset < 100 ? 1 : 37;
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << (offset % 8)));
    fs::remove_all(place / "state");
    place.write("state/state.db", damaged);
    ::chmod((place / "state").c_str(), 0700);
    const auto opened = open_store(place / "state", OpenMode::read_write);
    REQUIRE_MESSAGE(opened, opened.error().describe());
    (opened->set_aside.empty() ? sound : set_aside) += 1;
    for (int i = 1; i <= 20; ++i) {
      const auto record = opened->store->slot(key(i)).value();
      CHECK(record == (opened->set_aside.empty() ? std::optional(delivered(5)) : std::nullopt));
    }
    CHECK(opened->store->login("f").value() == (opened->set_aside.empty() ? std::optional(login) : std::nullopt));
    CHECK(opened->store->put_slot(key(), delivered(6)));
  }
  MESSAGE("flips: " << set_aside << " set aside, " << sound << " without effect");
  CHECK(set_aside > 50);
}

TEST_CASE("a file cut at any length: the start succeeds") {
  TemporaryDirectory place;
  {
    REQUIRE(open_rw(place / "state").store->put_slot(key(), delivered(5)));
  }
  const std::string whole = place.read("state/state.db");
  for (std::size_t size = 0; size < whole.size(); size += size < 110 ? 1 : 499) {
    CAPTURE(size);
    fs::remove_all(place / "state");
    place.write("state/state.db", whole.substr(0, size));
    ::chmod((place / "state").c_str(), 0700);
    const auto opened = open_store(place / "state", OpenMode::read_write);
    REQUIRE_MESSAGE(opened, opened.error().describe());
    // SQLite takes a file of one byte for an empty one. A cut through unused space loses nothing.
    const auto record = opened->store->slot(key()).value();
    CHECK((record ? record == delivered(5) : size <= 1 || !opened->set_aside.empty()));
    if (size < 2 * 4096) CHECK(record == std::nullopt);
  }
}

TEST_CASE("a link in the place of the file is not followed") {
  TemporaryDirectory place;
  place.write("canary", "");
  fs::create_directory(place / "state");
  ::chmod((place / "state").c_str(), 0700);
  fs::create_symlink("../canary", place / "state/state.db");
  CHECK(open_store(place / "state", OpenMode::read_write).error().code == ErrorCode::io);
  CHECK(place.read("canary").empty());
}

TEST_CASE("a full disk fails the write and leaves the store as it was") {
  TemporaryDirectory place;
  if (::mount("tmpfs", place.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    MESSAGE("skipped: this process may not mount a tmpfs");
    return;
  }
  {
    const auto opened = open_rw(place / "state");
    REQUIRE(opened.store->put_slot(key(), delivered(5)));
    place.write("filler", std::string(1'000'000, 'x'));
    Status status;
    for (int i = 0; i < 1000 && status; ++i) status = opened.store->put_slot(key(100 + i), delivered(1));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::io);
    CHECK(status.error().hint.find("make room") != std::string::npos);
    CHECK(opened.store->slot(key()).value() == delivered(5));
    fs::remove(place / "filler");
    CHECK(opened.store->put_slot(key(), delivered(6)));
  }
  CHECK(open_rw(place / "state").store->slot(key()).value() == delivered(6));
  ::umount2(place.path().c_str(), MNT_DETACH);
}

TEST_CASE("a shared store is opened beside a running daemon, and keeps a refused login for everybody") {
  const TemporaryDirectory place;
  const std::string directory = place / "state";
  const LoginRecord refused{std::nullopt, {at(1000)}};
  {
    Opened daemon = open_rw(directory);
    auto plan = open_store(directory, OpenMode::shared);
    REQUIRE(plan);
    CHECK(plan->store->salt() == daemon.store->salt());
    REQUIRE(plan->store->put_login("print", refused));
    const auto seen = daemon.store->login("print");
    REQUIRE(seen);
    CHECK(*seen == refused);
  }
  Opened later = open_rw(directory);
  CHECK(*later.store->login("print") == refused);
}

TEST_CASE("a shared store is made when there is none, and takes no lock") {
  const TemporaryDirectory place;
  auto plan = open_store(place / "state", OpenMode::shared);
  REQUIRE(plan);
  REQUIRE(plan->store->put_login("print", {std::nullopt, {at(1)}}));
  Opened daemon = open_rw(place / "state");
  CHECK((*daemon.store->login("print"))->refusals.size() == 1);
}

}  // namespace graft::state
