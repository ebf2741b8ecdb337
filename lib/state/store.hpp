// The state store: what must survive a crash, in one SQLite file of the state directory. Never a key or a password.
//
// Losing the file is safe: nothing is ever deleted because of it, and tokens take the careful path (a token whose
// delivery is unknown is superseded, not trusted). A corrupt file is set aside by name and reported.
//
// Every call is one transaction, written with synchronous=FULL before it returns. Blocking; call from one thread at a
// time. All times are wall-clock seconds (base/clock.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "model/login_record.hpp"

namespace graft::state {

// A token slot: one declared token of one account in one organization of one Grafana.
struct SlotKey {
  OrgId organization;
  std::string account_login;  // as Grafana derived it, e.g. "sa-2-test"
  std::string token;          // declared name
  auto operator<=>(const SlotKey&) const = default;
};

enum class Phase : std::uint8_t {
  intent,      // about to ask Grafana for the key of this generation: nobody can hold it yet
  delivering,  // the key is known and may reach a sink from now on
  delivered,   // the key was written and verified
};

struct SlotRecord {
  std::uint32_t generation = 0;
  Phase phase = Phase::intent;
  std::optional<TokenId> token_id;  // known from `delivering` on
  auto operator<=>(const SlotRecord&) const = default;
};

class Store {
 public:
  virtual ~Store() = default;
  [[nodiscard]] virtual Result<std::optional<SlotRecord>> slot(const SlotKey& key) = 0;
  [[nodiscard]] virtual Status put_slot(const SlotKey& key, const SlotRecord& record) = 0;
  [[nodiscard]] virtual Result<std::optional<LoginRecord>> login(const std::string& fingerprint) = 0;
  [[nodiscard]] virtual Status put_login(const std::string& fingerprint, const LoginRecord& record) = 0;
  // A random text made once per store: the salt of credential fingerprints.
  [[nodiscard]] virtual const std::string& salt() const = 0;
};

enum class OpenMode : std::uint8_t {
  read_write,  // makes directory (0700) and file (0600) when missing; takes the directory's lock (ErrorCode::blocked if
               // held)
  shared,      // for `plan`, beside a running daemon: no lock, so no slot may be written; but a refused login must be kept,
               // or plans in a row would lock the user out. Made when missing; read_only where it may not be written.
  read_only,  // a missing file is an empty store; nothing is made or changed; no lock; a damaged file is ErrorCode::io
};

struct Opened {
  std::unique_ptr<Store> store;
  std::string set_aside;  // where a corrupt file was moved, to be reported; empty normally
};

[[nodiscard]] Result<Opened> open_store(const std::string& directory, OpenMode mode);

// In memory, for tests; the conformance test of stores runs on both.
[[nodiscard]] std::unique_ptr<Store> make_memory_store();

}  // namespace graft::state
