// One token slot and everything around it in memory: a Grafana, sinks, a store, a consumer that re-reads a sink, and
// the faults that befall them. The decision function and the procedure are the real ones; time is what the test says.
//
// What must never happen is noted in `violations` at the moment at which it happens.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "token/issuer.hpp"

namespace graft::test {

// The process dies here. Thrown by any call that leaves the issuer: before or after what the call does.
struct Crash {};

// Counts down over all calls of a cycle; the process dies at zero.
class Fuse {
 public:
  void burn_after(int calls) { left_ = calls; }
  void remove() { left_ = -1; }
  void tick() {
    if (left_ >= 0 && left_-- == 0) throw Crash{};
  }

 private:
  int left_ = -1;
};

struct LiveToken {
  std::string name, key;
  WallTime created;
  std::optional<WallTime> expires, used;
  bool revoked = false;
};

class MemoryGrafana final : public token::Server {
 public:
  MemoryGrafana(const ManualClock& clock, Fuse& fuse) : clock_(clock), fuse_(fuse) {}

  token::asio::awaitable<Result<std::vector<grafana::Token>>> list(OrgId, AccountId) override;
  token::asio::awaitable<Result<grafana::NewToken>> create(OrgId, AccountId, const std::string& name,
                                                           std::optional<std::chrono::seconds> ttl) override;
  token::asio::awaitable<Status> remove(OrgId, AccountId, TokenId token) override;
  token::asio::awaitable<Result<grafana::Identity>> whose_key(const Secret& key) override;
  [[nodiscard]] std::optional<WallTime> now() const override { return clock_.wall() + offset; }

  [[nodiscard]] bool alive(const LiveToken& token) const;
  [[nodiscard]] bool alive(const std::string& key) const;

  std::map<std::int64_t, LiveToken> tokens;
  std::function<void(std::int64_t id, const LiveToken&)> on_remove;
  std::function<void()> on_create;
  std::chrono::seconds offset{0};  // its clock against the true one
  bool lose_create_reply = false, refuse_create = false, lose_remove_reply = false, lists_fail = false,
       cuts_list = false, refuses_keys = false, does_not_say = false;
  std::int64_t created = 0;  // how many were ever made

 private:
  const ManualClock& clock_;
  Fuse& fuse_;
};

class MemorySink final : public sink::Sink {
 public:
  struct Content {
    std::string key;
    std::optional<sink::Marker> marker;
  };

  MemorySink(std::string name, Fuse& fuse) : name_(std::move(name)), fuse_(fuse) {}

  std::string describe() const override { return name_; }
  token::asio::awaitable<Status> probe() override;
  token::asio::awaitable<Result<sink::Reading>> read() override;
  token::asio::awaitable<Status> put(const Secret& key, const sink::Marker& marker) override;

  void tamper(Content content) {
    content_ = std::move(content);
    ++version_;
  }
  [[nodiscard]] const Content& content() const { return content_; }

  bool fails = false;          // writes are refused, and so are rehearsals
  bool fails_late = false;     // writes alone
  bool fails_falsely = false;  // writes are done and reported as failed
  bool unreadable = false;
  std::vector<Content> backups;  // of every state it was in

 private:
  std::string name_;
  Fuse& fuse_;
  Content content_;
  std::uint64_t version_ = 0;
};

// A store that may be lost, or become what it was.
class CrashingStore final : public state::Store {
 public:
  explicit CrashingStore(Fuse& fuse) : fuse_(fuse), store_(state::make_memory_store()) {}

  Result<std::optional<state::SlotRecord>> slot(const state::SlotKey& key) override;
  Status put_slot(const state::SlotKey& key, const state::SlotRecord& record) override;
  Result<std::vector<std::pair<state::SlotKey, state::SlotRecord>>> slots() override { return store_->slots(); }
  Result<std::int64_t> ask(const state::Request& request, WallTime forget) override {
    return store_->ask(request, forget);
  }
  Result<std::vector<state::Request>> open_requests() override { return store_->open_requests(); }
  Result<std::optional<state::Request>> request(std::int64_t id) override { return store_->request(id); }
  Status answer(std::int64_t id, state::Request::State state, const std::string& text) override {
    return store_->answer(id, state, text);
  }
  Result<std::optional<LoginRecord>> login(const std::string& key) override { return store_->login(key); }
  Status put_login(const std::string& key, const LoginRecord& record) override {
    return store_->put_login(key, record);
  }
  const std::string& salt() const override { return salt_; }
  Result<state::Recorded> record(const std::vector<state::Change>& changes, const std::vector<state::Event>& events,
                                 std::size_t keep_changes, std::size_t keep_events) override {
    return store_->record(changes, events, keep_changes, keep_events);
  }
  Result<std::vector<state::Change>> changes(const state::ChangeQuery& query) override {
    return store_->changes(query);
  }
  Result<std::vector<state::Event>> due_events(WallTime now, std::size_t limit) override {
    return store_->due_events(now, limit);
  }
  Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next, int attempts) override {
    return store_->put_event_outcome(id, next, attempts);
  }
  Result<std::size_t> drop_events(WallTime before) override { return store_->drop_events(before); }
  Result<state::PendingEvents> pending_events() override { return store_->pending_events(); }
  Result<std::uint64_t> next_cycle(std::uint64_t last) override { return store_->next_cycle(last); }

  void lose() {
    store_ = state::make_memory_store();
    salt_ = store_->salt();
  }
  void restore(const state::SlotKey& key, const state::SlotRecord& record) { (void)store_->put_slot(key, record); }

  std::vector<state::SlotRecord> backups;

 private:
  Fuse& fuse_;
  std::unique_ptr<state::Store> store_;
  std::string salt_ = store_->salt();
};

// Reads the first sink at least every `interval`, and uses what it read all the time. What cannot be a key is not
// taken.
struct Consumer {
  std::chrono::seconds interval{4};
  std::string key;
  WallTime read_at;
};

class SlotWorld {
 public:
  explicit SlotWorld(std::size_t sinks = 1);

  // One look at the slot, and what follows from it. A crash ends it, and begins a new process.
  void cycle();
  void advance(std::chrono::seconds by);  // the consumer reads meanwhile
  void restart();

  // Exactly one token of the slot lives, its key is in every sink, and the newest marker names it.
  [[nodiscard]] bool converged() const;
  [[nodiscard]] std::size_t live() const;  // tokens of the slot that live
  [[nodiscard]] std::string describe() const;
  void ask_for_rotation();
  // The sink is rolled back, the consumer reads, and it is rolled forward again: between two looks of ours.
  void flip_sink(const MemorySink::Content& old);

  Fuse fuse;
  ManualClock clock;
  MemoryGrafana grafana{clock, fuse};
  std::vector<std::unique_ptr<MemorySink>> sinks;
  CrashingStore store{fuse};
  Consumer consumer;
  token::Slot slot;
  std::vector<std::string> violations;
  std::string log;  // what was done, for a failing case
  std::int64_t foreign = 0;

 private:
  token::asio::awaitable<void> one_cycle();
  [[nodiscard]] bool cannot_see() const;  // what is there, at this moment
  void consume();

  token::IssuerSettings settings_;
  std::unique_ptr<token::Issuer> issuer_;
  bool blind_ = false;  // as this cycle began
};

}  // namespace graft::test
