#include <algorithm>
#include <deque>
#include <map>

#include "base/hash.hpp"
#include "state/store.hpp"

namespace graft::state {

namespace {

class MemoryStore final : public Store {
 public:
  Result<std::optional<SlotRecord>> slot(const SlotKey& key) override { return find(slots_, key); }
  Status put_slot(const SlotKey& key, const SlotRecord& record) override {
    slots_[key] = record;
    return {};
  }
  Result<std::vector<std::pair<SlotKey, SlotRecord>>> slots() override {
    return std::vector<std::pair<SlotKey, SlotRecord>>(slots_.begin(), slots_.end());
  }
  Result<std::int64_t> ask(const Request& request, WallTime forget) override {
    std::erase_if(requests_, [&](const auto& entry) {
      return entry.second.state != Request::State::open && entry.second.asked_at < forget;
    });
    const std::int64_t id = ++last_request_;
    requests_[id] = request;
    requests_[id].id = id;
    return id;
  }
  Result<std::vector<Request>> open_requests() override {
    std::vector<Request> open;
    for (const auto& [id, request] : requests_)
      if (request.state == Request::State::open) open.push_back(request);
    return open;
  }
  Result<std::optional<Request>> request(std::int64_t id) override { return find(requests_, id); }
  Status answer(std::int64_t id, Request::State state, const std::string& text) override {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return {};
    found->second.state = state;
    found->second.answer = text;
    return {};
  }
  Result<std::optional<LoginRecord>> login(const std::string& fingerprint) override {
    return find(logins_, fingerprint);
  }
  Status put_login(const std::string& fingerprint, const LoginRecord& record) override {
    logins_[fingerprint] = record;
    return {};
  }
  const std::string& salt() const override { return salt_; }

  Result<Recorded> record(const std::vector<Change>& changes, const std::vector<Event>& events,
                          std::size_t keep_changes, std::size_t keep_events) override {
    Recorded recorded{last_change_ + 1, 0};
    for (const Change& change : changes) {
      changes_.push_back(bounded(change));
      changes_.back().id = ++last_change_;
    }
    for (const Event& event : events) {
      events_.push_back(event);
      events_.back().id = ++last_event_;
    }
    while (changes_.size() > keep_changes) changes_.pop_front();
    for (; events_.size() > keep_events; ++recorded.dropped_events) events_.pop_front();
    return recorded;
  }
  Result<std::vector<Change>> changes(const ChangeQuery& query) override {
    std::vector<Change> found;
    for (auto change = changes_.rbegin(); change != changes_.rend() && found.size() < query.limit; ++change)
      if (answers(*change, query)) found.push_back(*change);
    return found;
  }
  Result<std::vector<Event>> due_events(WallTime now, std::size_t limit) override {
    std::vector<Event> due;
    for (const Event& event : events_) {
      const bool is_due = event.next_attempt <= now || event.next_attempt > now + longest_wait;
      if (is_due && due.size() < limit) due.push_back(event);
    }
    return due;
  }
  Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts) override {
    const auto found = std::ranges::find(events_, id, &Event::id);
    if (found == events_.end()) return {};
    if (!next_attempt) {
      events_.erase(found);
      return {};
    }
    found->next_attempt = *next_attempt;
    found->attempts = attempts;
    return {};
  }
  Result<std::size_t> drop_events(WallTime before) override {
    return std::erase_if(events_, [&](const Event& event) { return event.at < before; });
  }
  Result<PendingEvents> pending_events() override {
    if (events_.empty()) return PendingEvents{};
    return PendingEvents{events_.size(), std::ranges::min(events_, {}, &Event::at).at,
                         std::ranges::min(events_, {}, &Event::next_attempt).next_attempt};
  }
  Result<std::uint64_t> next_cycle(std::uint64_t last) override { return cycle_ = std::max(cycle_, last) + 1; }

 private:
  static bool answers(const Change& change, const ChangeQuery& query) {
    const auto asked = [](const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; };
    return (!query.before || change.id < *query.before) && (!query.since || change.at >= *query.since) &&
           asked(query.kind, change.kind) && asked(query.organization, change.organization) &&
           asked(query.name, change.name);
  }

  template <class Key, class Value>
  static std::optional<Value> find(const std::map<Key, Value>& values, const Key& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<SlotKey, SlotRecord> slots_;
  std::map<std::string, LoginRecord> logins_;
  std::map<std::int64_t, Request> requests_;
  std::int64_t last_request_ = 0;
  std::deque<Change> changes_;
  std::deque<Event> events_;
  std::int64_t last_change_ = 0, last_event_ = 0;
  std::uint64_t cycle_ = 0;
  std::string salt_ = random_hex(16);
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace graft::state
