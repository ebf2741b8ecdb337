// Keeps login records in the state store (grafana/credential.hpp says what they are for). A store that cannot be read
// or written makes the breaker forget at a restart; that is logged, and no reason to stop.
#pragma once

#include "base/log.hpp"
#include "grafana/credential.hpp"
#include "state/store.hpp"

namespace graft::daemon {

class StoreLoginMemory final : public grafana::LoginMemory {
 public:
  StoreLoginMemory(state::Store& store, Log& log) : store_(store), log_(log) {}

  LoginRecord load(const std::string& fingerprint) override {
    Result<std::optional<LoginRecord>> record = store_.login(fingerprint);
    if (record) return record->value_or(LoginRecord{});
    log_.warning("login record not read", {{"err", record.error().describe()}});
    return {};
  }

  void save(const std::string& fingerprint, const LoginRecord& record) override {
    if (Status saved = store_.put_login(fingerprint, record); !saved)
      log_.warning("login record not kept", {{"err", saved.error().describe()}});
  }

  std::string salt() override { return store_.salt(); }

 private:
  state::Store& store_;
  Log& log_;
};

}  // namespace graft::daemon
