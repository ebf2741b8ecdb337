// A sink is where a token's key is delivered: a file, an entry of a Kubernetes Secret, a field of a Vault secret.
// Besides the key it keeps a marker, which names the key that lies there, so that recovery works without the state
// store (tokens.md 2.3).
//
// Rules for every sink: the marker that names a key is durable before the key is, or with it; a reader sees the old key
// or the new one, whole, at any instant; the key is in no name, no log and no error text; what somebody else has
// written since the last read() is never overwritten where the place can tell (ErrorCode::conflict).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "sink/reading.hpp"

namespace graft::sink {

namespace asio = boost::asio;

// Used from the one thread of the io_context, one call at a time.
class Sink {
 public:
  virtual ~Sink() = default;
  // For people and as its name in the state store: "file apiorg/test-token", "secret monitoring/apiorg-token/token",
  // "vault secret/grafana/apiorg#token".
  [[nodiscard]] virtual std::string describe() const = 0;
  // Proves that put() can work, before a key exists that could get lost. Leaves nothing behind.
  [[nodiscard]] virtual asio::awaitable<Status> probe() = 0;
  // An error means "unknown", never "missing".
  [[nodiscard]] virtual asio::awaitable<Result<Reading>> read() = 0;
  // To be called after read() on the same object. An error does not say that nothing was written (a reply may be lost):
  // read() tells. `key` and `marker` live until it is done.
  [[nodiscard]] virtual asio::awaitable<Status> put(const Secret& key, const Marker& marker) = 0;
};

// The same for a place whose calls block (files).
class BlockingSink {
 public:
  virtual ~BlockingSink() = default;
  [[nodiscard]] virtual std::string describe() const = 0;
  [[nodiscard]] virtual Status probe() = 0;
  [[nodiscard]] virtual Result<Reading> read() = 0;
  [[nodiscard]] virtual Status put(const Secret& key, const Marker& marker) = 0;
};

// Its calls run on `disk`, which outlives it.
[[nodiscard]] std::unique_ptr<Sink> on_thread(asio::thread_pool& disk, std::unique_ptr<BlockingSink> sink);

// For a place that the configuration does not reach: every call answers this error.
[[nodiscard]] std::unique_ptr<Sink> make_unusable_sink(std::string description, Error why);

}  // namespace graft::sink
