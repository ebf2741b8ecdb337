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

 private:
  template <class Key, class Value>
  static std::optional<Value> find(const std::map<Key, Value>& values, const Key& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<SlotKey, SlotRecord> slots_;
  std::map<std::string, LoginRecord> logins_;
  std::map<std::int64_t, Request> requests_;
  std::int64_t last_request_ = 0;
  std::string salt_ = random_hex(16);
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace graft::state
