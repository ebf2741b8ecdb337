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
  std::string salt_ = random_hex(16);
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace graft::state
