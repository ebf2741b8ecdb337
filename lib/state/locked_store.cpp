#include "state/locked_store.hpp"

#include <mutex>

namespace graft::state {

namespace {

class LockedStore final : public Store {
 public:
  explicit LockedStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  Result<std::optional<SlotRecord>> slot(const SlotKey& key) override {
    const std::scoped_lock lock(mutex_);
    return store_->slot(key);
  }
  Status put_slot(const SlotKey& key, const SlotRecord& record) override {
    const std::scoped_lock lock(mutex_);
    return store_->put_slot(key, record);
  }
  Result<std::vector<std::pair<SlotKey, SlotRecord>>> slots() override {
    const std::scoped_lock lock(mutex_);
    return store_->slots();
  }
  Result<std::int64_t> ask(const Request& request, WallTime forget) override {
    const std::scoped_lock lock(mutex_);
    return store_->ask(request, forget);
  }
  Result<std::vector<Request>> open_requests() override {
    const std::scoped_lock lock(mutex_);
    return store_->open_requests();
  }
  Result<std::optional<Request>> request(std::int64_t id) override {
    const std::scoped_lock lock(mutex_);
    return store_->request(id);
  }
  Status answer(std::int64_t id, Request::State state, const std::string& text) override {
    const std::scoped_lock lock(mutex_);
    return store_->answer(id, state, text);
  }
  Result<std::optional<LoginRecord>> login(const std::string& fingerprint) override {
    const std::scoped_lock lock(mutex_);
    return store_->login(fingerprint);
  }
  Status put_login(const std::string& fingerprint, const LoginRecord& record) override {
    const std::scoped_lock lock(mutex_);
    return store_->put_login(fingerprint, record);
  }
  const std::string& salt() const override { return store_->salt(); }

  Result<Recorded> record(const std::vector<Change>& changes, const std::vector<Event>& events,
                          std::size_t keep_changes, std::size_t keep_events) override {
    const std::scoped_lock lock(mutex_);
    return store_->record(changes, events, keep_changes, keep_events);
  }
  Result<std::vector<Change>> changes(const ChangeQuery& query) override {
    const std::scoped_lock lock(mutex_);
    return store_->changes(query);
  }
  Result<std::vector<Event>> due_events(WallTime now, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    return store_->due_events(now, limit);
  }
  Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts) override {
    const std::scoped_lock lock(mutex_);
    return store_->put_event_outcome(id, next_attempt, attempts);
  }
  Result<std::size_t> drop_events(WallTime before) override {
    const std::scoped_lock lock(mutex_);
    return store_->drop_events(before);
  }
  Result<PendingEvents> pending_events() override {
    const std::scoped_lock lock(mutex_);
    return store_->pending_events();
  }
  Result<std::uint64_t> next_cycle(std::uint64_t last) override {
    const std::scoped_lock lock(mutex_);
    return store_->next_cycle(last);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Store> store_;
};

}  // namespace

std::unique_ptr<Store> make_locked_store(std::unique_ptr<Store> store) {
  return std::make_unique<LockedStore>(std::move(store));
}

}  // namespace graft::state
