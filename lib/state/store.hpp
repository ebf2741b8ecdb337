// The state store: what must survive a crash, in one SQLite file of the state directory. Never a key or a password.
//
// Losing the file is safe: nothing is ever deleted because of it, and tokens take the careful path (a token whose
// delivery is unknown is superseded, not trusted). A corrupt file is set aside by name and reported.
//
// Every call is one transaction, written with synchronous=FULL before it returns. Blocking; call from one thread at a
// time. All times are wall-clock seconds (base/clock.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "model/login_record.hpp"
#include "state/history.hpp"

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

// The key that was handed over last. It names a key whose marker is lost, and is what `graftd tokens list` tells. All
// times of a slot are Grafana's (the Date of its answers).
struct DeliveredKey {
  std::uint32_t generation = 0;
  TokenId token_id;
  std::string fingerprint;                  // of the key, by salt()
  std::optional<std::chrono::seconds> ttl;  // that was asked for; nullopt: it never expires
  WallTime delivered_at;
  std::optional<WallTime> verified_at = {}, expires_at = {}, rotates_at = {};
  auto operator<=>(const DeliveredKey&) const = default;
};

// One place where the slot's key is kept, as it was seen last.
struct SinkRecord {
  std::string name;                         // sink::Sink::describe()
  std::string identity;                     // sink::Reading::identity
  std::optional<WallTime> changed_at = {};  // when it was found changed, but not by us
  auto operator<=>(const SinkRecord&) const = default;
};

struct SlotRecord {
  // The newest generation that was ever asked for, and how far it got.
  std::uint32_t generation = 0;
  Phase phase = Phase::intent;
  std::optional<TokenId> token_id = {};  // known from `delivering` on

  std::optional<DeliveredKey> in_use = {};
  std::vector<SinkRecord> sinks = {};
  std::vector<WallTime> reissues = {};       // that were not planned, of the last hour
  std::string organization = {}, name = {};  // as declared: "apiorg", "test/test-token"
  std::string problem = {};                  // why the slot is not in order, for people; empty: it is
  auto operator<=>(const SlotRecord&) const = default;
};

// What a person asked for by `graftd tokens`, left for a daemon that runs.
struct Request {
  enum class Kind : std::uint8_t { rotate, verify };
  enum class State : std::uint8_t { open, done, failed };
  std::int64_t id = 0;             // grows; given by the store
  std::string organization, name;  // as declared: "apiorg", "test/test-token"
  Kind kind = Kind::verify;
  WallTime asked_at;  // by the local clock
  State state = State::open;
  std::string answer;  // for people
  auto operator<=>(const Request&) const = default;
};

class Store : public History {
 public:
  [[nodiscard]] virtual Result<std::optional<SlotRecord>> slot(const SlotKey& key) = 0;
  [[nodiscard]] virtual Status put_slot(const SlotKey& key, const SlotRecord& record) = 0;
  [[nodiscard]] virtual Result<std::vector<std::pair<SlotKey, SlotRecord>>> slots() = 0;  // all, by key

  // Keeps a request and gives its number; forgets those that were answered before `forget`.
  [[nodiscard]] virtual Result<std::int64_t> ask(const Request& request, WallTime forget) = 0;
  [[nodiscard]] virtual Result<std::vector<Request>> open_requests() = 0;  // oldest first
  [[nodiscard]] virtual Result<std::optional<Request>> request(std::int64_t id) = 0;
  [[nodiscard]] virtual Status answer(std::int64_t id, Request::State state, const std::string& text) = 0;

  [[nodiscard]] virtual Result<std::optional<LoginRecord>> login(const std::string& fingerprint) = 0;
  [[nodiscard]] virtual Status put_login(const std::string& fingerprint, const LoginRecord& record) = 0;
  // A random text made once per store: the salt of credential fingerprints.
  [[nodiscard]] virtual const std::string& salt() const = 0;
};

enum class OpenMode : std::uint8_t {
  read_write,  // makes directory (0700) and file (0600) when missing; takes the directory's lock (ErrorCode::blocked if
               // held)
  shared,      // for `plan`, `tokens` and `history`, beside a running daemon: no lock, so no slot may be written; but a
           // refused login must be kept, or plans in a row would lock the user out, and requests are left here. Made
           // when missing; read_only where it may not be written.
  read_only,  // a missing file is an empty store; nothing is made or changed; no lock; a damaged file is ErrorCode::io
};

struct Opened {
  std::unique_ptr<Store> store;
  std::string set_aside;  // where a corrupt file was moved, to be reported; empty normally
};

[[nodiscard]] Result<Opened> open_store(const std::string& directory, OpenMode mode);

// A file of an earlier version is brought to the present one by read_write alone; the others answer ErrorCode::io with
// a hint, since an older graftd may be using it.

// In memory, for tests; the conformance test of stores runs on both.
[[nodiscard]] std::unique_ptr<Store> make_memory_store();

}  // namespace graft::state
