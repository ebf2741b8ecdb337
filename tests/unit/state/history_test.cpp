#include "state/history.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.hpp"
#include "state/locked_store.hpp"
#include "state/store.hpp"
#include "support/temporary_directory.hpp"

namespace graft::state {

namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

WallTime at(std::int64_t second) { return WallTime{std::chrono::seconds{second}}; }

Change change_of(const std::string& name, std::int64_t second = 100) {
  Change change;
  change.at = at(second);
  change.cycle = 17;
  change.revision = "a1b2c3";
  change.kind = "Dashboard";
  change.organization = "apiorg";
  change.name = name;
  change.action = "update";
  change.outcome = "done";
  change.cause = "drift";
  change.fields = {{"/title", R"("Old")", R"("Nëw")"}, {"/tags", "", "[]"}};
  change.message = "two\nlines";
  return change;
}

Event event_of(const std::string& uid, std::int64_t second = 100) {
  Event event;
  event.uid = uid;
  event.at = event.next_attempt = at(second);
  event.type = "drift";
  event.body = R"({"id":")" + uid + R"("})";
  return event;
}

std::unique_ptr<Store> open_rw(const std::string& directory) {
  auto opened = open_store(directory, OpenMode::read_write);
  REQUIRE_MESSAGE(opened, opened.error().describe());
  REQUIRE(opened->set_aside.empty());
  return std::move(opened->store);
}

std::vector<std::string> names(const Result<std::vector<Change>>& changes) {
  REQUIRE_MESSAGE(changes, changes.error().describe());
  std::vector<std::string> out;
  for (const Change& change : *changes) out.push_back(change.name);
  return out;
}

std::vector<std::string> uids(const Result<std::vector<Event>>& events) {
  REQUIRE_MESSAGE(events, events.error().describe());
  std::vector<std::string> out;
  for (const Event& event : *events) out.push_back(event.uid);
  return out;
}

using Names = std::vector<std::string>;

// Runs a test on every kind of store.
void on_all(const std::function<void(Store&)>& test) {
  TemporaryDirectory place;
  const std::map<std::string, std::function<std::unique_ptr<Store>()>> makers{
      {"memory", [] { return make_memory_store(); }},
      {"locked", [] { return make_locked_store(make_memory_store()); }},
      {"sqlite", [&] { return open_rw(place / "state"); }},
      {"locked sqlite", [&] { return make_locked_store(open_rw(place / "other")); }},
  };
  for (const auto& [kind, make] : makers) {
    CAPTURE(kind);
    const auto store = make();
    test(*store);
  }
}

void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

}  // namespace

TEST_CASE("changes are given newest first and whole, with ids that grow") {
  on_all([](Store& store) {
    CHECK(store.changes({}).value().empty());
    const Recorded first = store.record({change_of("a"), change_of("b")}, {}, 10, 10).value();
    const Recorded second = store.record({change_of("c", 200)}, {}, 10, 10).value();
    CHECK(second.first_change == first.first_change + 2);
    const auto all = store.changes({}).value();
    REQUIRE(all.size() == 3);
    CHECK(names(all) == Names{"c", "b", "a"});
    Change expected = change_of("b");
    expected.id = first.first_change + 1;
    CHECK(all[1] == expected);
    CHECK(store.record({}, {}, 10, 10));
    CHECK(store.changes({}).value().size() == 3);
  });
}

TEST_CASE("a query narrows by page, kind, organization, name and time") {
  on_all([](Store& store) {
    std::vector<Change> changes;
    for (int i = 0; i < 6; ++i) changes.push_back(change_of("d" + std::to_string(i), 100 + i));
    changes[1].kind = "Folder";
    changes[2].organization = "other";
    changes[3].name = "it's; DROP TABLE change --";
    REQUIRE(store.record(changes, {}, 100, 100));
    ChangeQuery query;
    query.limit = 2;
    CHECK(names(store.changes(query)) == Names{"d5", "d4"});
    query.before = store.changes(query).value().back().id;
    CHECK(names(store.changes(query)) == Names{changes[3].name, "d2"});
    query = {};
    query.kind = "Folder";
    CHECK(names(store.changes(query)) == Names{"d1"});
    query = {};
    query.organization = "other";
    CHECK(names(store.changes(query)) == Names{"d2"});
    query.kind = "Folder";
    CHECK(names(store.changes(query)).empty());
    query = {};
    query.name = changes[3].name;
    CHECK(names(store.changes(query)) == Names{changes[3].name});
    query = {};
    query.since = at(104);
    CHECK(names(store.changes(query)) == Names{"d5", "d4"});
    query.limit = 0;
    CHECK(names(store.changes(query)).empty());
  });
}

TEST_CASE("the oldest changes and events beyond the bounds go; how many events did is told") {
  on_all([](Store& store) {
    for (int i = 0; i < 5; ++i) {
      const Recorded recorded =
          store.record({change_of("c" + std::to_string(i))}, {event_of("e" + std::to_string(i))}, 3, 2).value();
      CHECK(recorded.dropped_events == (i < 2 ? 0 : 1));
    }
    CHECK(names(store.changes({})) == Names{"c4", "c3", "c2"});
    CHECK(uids(store.due_events(at(100), 10)) == Names{"e3", "e4"});
    std::vector<Change> many(7, change_of("x"));
    const std::int64_t last = store.changes({}).value().front().id;
    CHECK(store.record(many, {event_of("f"), event_of("g"), event_of("h")}, 3, 2).value().dropped_events == 3);
    CHECK(store.changes({}).value().size() == 3);
    CHECK(store.changes({}).value().front().id == last + 7);
    CHECK(store.record({change_of("y")}, {}, 0, 0).value().dropped_events == 2);
    CHECK(store.changes({}).value().empty());
    CHECK(store.record({change_of("z")}, {}, 1, 0).value().first_change == last + 9);  // an id is never given twice
  });
}

TEST_CASE("a change that is too long is shortened, and says so") {
  on_all([](Store& store) {
    Change change = change_of("a");
    change.fields.assign(25, {"/" + std::string(700, 'p'), std::string(1, '"') + std::string(600, 'b'), "ok"});
    change.fields[0].after = std::string(496, 'x') + "äöü";  // a cut in the middle of a character
    change.message = std::string(3'000, 'm');
    REQUIRE(store.record({change}, {}, 10, 10));
    const Change kept = store.changes({}).value().at(0);
    CHECK(kept.fields.size() == most_fields);
    for (const FieldChange& field : kept.fields) {
      CHECK(field.pointer.size() == longest_field_text);
      CHECK(field.before.ends_with("b..."));
      CHECK(field.after.size() <= longest_field_text);
    }
    CHECK(kept.fields[0].after == std::string(496, 'x') + "...");
    CHECK(kept.fields[1].after == "ok");
    CHECK(kept.message.size() == longest_message);
    CHECK(kept.message.ends_with("m...; 5 more fields"));
  });
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "...");
  CHECK(shortened("äb", 2) == "..");
  CHECK_FALSE(invalid_utf8(shortened("ääääää", 6)));
}

TEST_CASE("text that is no UTF-8 is kept as well as it can be") {
  on_all([](Store& store) {
    Change change = change_of("a");
    change.fields = {{"/x", "\xff", "b"}};
    change.message = std::string("nul \0 in it", 11);
    REQUIRE(store.record({change}, {}, 10, 10));
    const auto kept = store.changes({});
    REQUIRE(kept);
    REQUIRE(kept->size() == 1);
    CHECK(kept->at(0).fields.at(0).after == "b");
    CHECK(kept->at(0).message == change.message);
  });
}

TEST_CASE("events are due in order from their time on, and gone when delivered") {
  on_all([](Store& store) {
    CHECK(store.pending_events().value().count == 0);
    CHECK(store.pending_events().value().oldest == std::nullopt);
    REQUIRE(store.record({}, {event_of("a", 100), event_of("b", 90), event_of("c", 110)}, 10, 10));
    const auto due = store.due_events(at(105), 10).value();
    CHECK(uids(due) == Names{"a", "b"});
    CHECK(due[0].body == R"({"id":"a"})");
    CHECK(due[0].at == at(100));
    CHECK(due[0].type == "drift");
    CHECK(uids(store.due_events(at(105), 1)) == Names{"a"});
    const PendingEvents pending = store.pending_events().value();
    CHECK(pending.count == 3);
    CHECK(pending.oldest == at(90));
    CHECK(pending.next_attempt == at(90));
    REQUIRE(store.put_event_outcome(due[0].id, at(120), 1));
    REQUIRE(store.put_event_outcome(due[1].id, std::nullopt, 1));
    REQUIRE(store.put_event_outcome(999, at(120), 1));
    REQUIRE(store.put_event_outcome(999, std::nullopt, 1));
    CHECK(store.pending_events().value().count == 2);
    CHECK(uids(store.due_events(at(119), 10)) == Names{"c"});
    const auto again = store.due_events(at(120), 10).value();
    CHECK(uids(again) == Names{"a", "c"});
    CHECK(again[0].attempts == 1);
    CHECK(again[0].next_attempt == at(120));
    CHECK(again[0].body == R"({"id":"a"})");
    CHECK(store.drop_events(at(100)).value() == 0);
    CHECK(store.drop_events(at(101)).value() == 1);
    CHECK(uids(store.due_events(at(200), 10)) == Names{"c"});
  });
}

TEST_CASE("an event that is to wait for more than a day is due: the clock was set back") {
  on_all([](Store& store) {
    REQUIRE(store.record({}, {event_of("a", 1'000'000), event_of("b", 1'000)}, 10, 10));
    CHECK(uids(store.due_events(at(500), 10)) == Names{"a"});
    CHECK(uids(store.due_events(at(999'000), 10)) == Names{"b"});
  });
}

TEST_CASE("cycles are numbered on, and past the caller's own count") {
  on_all([](Store& store) {
    CHECK(store.next_cycle(0).value() == 1);
    CHECK(store.next_cycle(0).value() == 2);
    CHECK(store.next_cycle(10).value() == 11);
    CHECK(store.next_cycle(3).value() == 12);
  });
}

TEST_CASE("history, outbox and the number of cycles are found again") {
  TemporaryDirectory place;
  {
    const auto store = open_rw(place / "state");
    REQUIRE(store->record({change_of("a")}, {event_of("e")}, 10, 10));
    CHECK(store->next_cycle(40).value() == 41);
  }
  const auto store = open_rw(place / "state");
  CHECK(names(store->changes({})) == Names{"a"});
  CHECK(uids(store->due_events(at(100), 10)) == Names{"e"});
  CHECK(store->next_cycle(0).value() == 42);
}

TEST_CASE("a process killed while it records leaves a change and its event, or neither") {
  TemporaryDirectory place;
  std::size_t acknowledged = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = open_store(place / "state", OpenMode::read_write);
      for (std::size_t i = acknowledged + 1; opened; ++i) {
        const auto second = static_cast<std::int64_t>(i);
        if (!opened->store->record({change_of("a", second)}, {event_of("e", second)}, 1'000'000, 1'000'000)) break;
        if (::write(pipe_ends[1], &i, sizeof i) != sizeof i) break;
      }
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    std::size_t seen = 0;
    for (int i = 0; i < 3 + round; ++i)
      if (::read(pipe_ends[0], &seen, sizeof seen) == sizeof seen) acknowledged = seen;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &seen, sizeof seen) == sizeof seen) acknowledged = seen;
    ::close(pipe_ends[0]);
    const auto store = open_rw(place / "state");
    ChangeQuery all;
    all.limit = 1'000'000;
    const std::size_t changes = store->changes(all).value().size();
    CHECK(changes >= acknowledged);
    CHECK(changes <= acknowledged + 1);
    CHECK(store->pending_events().value().count == changes);
    acknowledged = changes;
  }
  CHECK(acknowledged >= 8 * 3);
}

TEST_CASE("the history is read beside a running daemon, and nothing is written") {
  TemporaryDirectory place;
  const auto daemon = open_rw(place / "state");
  REQUIRE(daemon->record({change_of("a")}, {}, 10, 10));
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::shared}) {
    const auto beside = open_store(place / "state", mode);
    REQUIRE(beside);
    REQUIRE(daemon->record({change_of("b")}, {}, 10, 10));
    CHECK(names(beside->store->changes({})).front() == "b");
    if (mode == OpenMode::shared) continue;
    CHECK(beside->store->record({change_of("x")}, {}, 10, 10).error().code == ErrorCode::io);
    CHECK(beside->store->next_cycle(0).error().code == ErrorCode::io);
  }
  CHECK(names(daemon->changes({})) == Names{"b", "b", "a"});
}

TEST_CASE("damaged rows of the history are left out, and nothing else is lost by them") {
  TemporaryDirectory place;
  {
    const auto store = open_rw(place / "state");
    REQUIRE(store->record({change_of("a"), change_of("b"), change_of("c")}, {event_of("e"), event_of("f")}, 10, 10));
    REQUIRE(store->put_login("f", {at(1), {}}));
  }
  run_sql(place / "state/state.db",
          "UPDATE change SET outcome = 'failed' WHERE name = 'b'; UPDATE event SET body = '{}' WHERE uid = 'e'");
  const auto store = open_rw(place / "state");
  CHECK(store->login("f").value() == LoginRecord{at(1), {}});
  CHECK(names(store->changes({})) == Names{"c", "a"});
  CHECK(uids(store->due_events(at(100), 10)) == Names{"f"});
  CHECK(store->pending_events().value().count == 1);
}

TEST_CASE("ten thousand changes are recorded and asked in moments, by the indexes") {
  TemporaryDirectory place;
  const auto store = open_rw(place / "state");
  std::vector<Change> changes;
  for (int i = 0; i < 12'000; ++i) {
    changes.push_back(change_of("d" + std::to_string(i)));
    changes.back().kind = i == 5'000 ? "Folder" : "Dashboard";
  }
  REQUIRE(store->record(changes, {}, 10'000, 10));
  ChangeQuery query;
  query.limit = 20'000;
  CHECK(store->changes(query).value().size() == 10'000);
  query = {};
  query.kind = "Folder";
  query.name = "d5000";
  const auto begin = std::chrono::steady_clock::now();
  constexpr int times = 100;
  for (int i = 0; i < times; ++i) CHECK(store->changes(query).value().size() == 1);
  const auto each = (std::chrono::steady_clock::now() - begin) / times;
  MESSAGE("a query of one among 10,000: " << std::chrono::duration_cast<std::chrono::microseconds>(each).count()
                                          << " us");
  // What the plan of the query says does not depend on how busy the machine is.
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open((place / "state/state.db").c_str(), &handle) == SQLITE_OK);
  std::string plan;
  const auto keep = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(values[3]) + "\n";
    return 0;
  };
  for (const char* where : {"kind = 'x'", "organization = 'x'", "name = 'x'", "kind = 'x' AND name = 'y'"}) {
    const std::string sql =
        "EXPLAIN QUERY PLAN SELECT * FROM change WHERE 1 AND " + std::string(where) + " ORDER BY id DESC LIMIT 100";
    plan.clear();
    CHECK(sqlite3_exec(handle, sql.c_str(), keep, &plan, nullptr) == SQLITE_OK);
    CAPTURE(plan);
    CHECK(plan.find("USING INDEX change_of_") != std::string::npos);
    CHECK(plan.find("TEMP B-TREE") == std::string::npos);
  }
  sqlite3_close(handle);
}

TEST_CASE("a full disk: recording and counting answer errors, nothing is half done, and they work again") {
  TemporaryDirectory place;
  if (::mount("tmpfs", place.path().c_str(), "tmpfs", 0, "size=512k") != 0) {
    MESSAGE("skipped: this process may not mount a tmpfs");
    return;
  }
  {
    const auto store = open_rw(place / "state");
    REQUIRE(store->record({change_of("a")}, {event_of("e")}, 1'000, 1'000));
    const std::uint64_t counted = store->next_cycle(0).value();
    place.write("filler", std::string(1'000'000, 'x'));
    bool recording = true, counting = true;
    std::size_t recorded = 1;
    std::uint64_t last = counted;
    for (int i = 0; i < 2'000 && (recording || counting); ++i) {
      recording = store->record({change_of("b")}, {event_of("f")}, 1'000'000, 1'000'000).has_value();
      recorded += recording ? 1 : 0;
      const auto next = store->next_cycle(last);
      counting = next.has_value();
      if (counting) last = *next;
    }
    CHECK_FALSE(recording);
    CHECK_FALSE(counting);
    ChangeQuery all;
    all.limit = 1'000'000;
    CHECK(store->changes(all).value().size() == recorded);
    CHECK(store->pending_events().value().count == recorded);
    fs::remove(place / "filler");
    CHECK(store->record({change_of("c")}, {}, 1'000'000, 1'000'000));
    CHECK(store->next_cycle(last + 5).value() == last + 6);
    CHECK(names(store->changes({})).front() == "c");
  }
  ::umount2(place.path().c_str(), MNT_DETACH);
}

}  // namespace graft::state
