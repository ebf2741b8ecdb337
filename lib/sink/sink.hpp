// A sink is where a token's key is delivered. Besides the key it keeps a marker, which names the key that lies there,
// so that recovery works without the state store (tokens.md 2.3).
//
// Rules for every sink: the marker that names a key is durable before the key is; a reader sees the old key or the new
// one, whole, at any instant; the key is in no name, no log and no error text.
// Blocking; call from one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"

namespace graft::sink {

// What the marker says of one key. Several are kept (the last three generations), since the marker is written first.
struct MarkerEntry {
  std::string fingerprint;  // fingerprint(salt, key), 16 hex characters
  std::uint32_t generation = 0;
  TokenId token_id;
  WallTime delivered_at;  // server clock
  auto operator==(const MarkerEntry&) const -> bool = default;
};

struct Marker {
  std::string owner;  // the `owner` setting of the graftd that wrote it
  std::string slot;   // "<organization id>/<account login>/<token>"
  std::string salt;   // random, per marker; survives with the sink, so that a lost store does not blind us
  std::vector<MarkerEntry> entries;  // newest first, at most three
};

enum class KeyState : std::uint8_t {
  missing,    // nothing there
  malformed,  // something is there, but not a well-formed key: truncated, edited, checksum wrong
  present,    // a well-formed key
};

struct Reading {
  KeyState state = KeyState::missing;
  std::string problem;  // for malformed: what is wrong ("45 bytes instead of 46", "checksum does not match")
  Secret key;           // when present
  std::string access_found, access_wanted;  // "mode 0666", "mode 0600": when who may read the key is not as declared
  std::optional<Marker> marker;             // when there is a readable one
  std::string fingerprint;                  // of the key, by the marker's salt; empty without key or marker
};

class Sink {
 public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual std::string describe() const = 0;  // "file apiorg/test-token"
  // Proves that put() can work, before a key exists that could get lost. Leaves nothing behind.
  [[nodiscard]] virtual Status probe() = 0;
  [[nodiscard]] virtual Result<Reading> read() = 0;  // an error means "unknown", never "missing"
  [[nodiscard]] virtual Status put(const Secret& key, const Marker& marker) = 0;
};

[[nodiscard]] std::string fingerprint(std::string_view salt, const Secret& key);

// Grafana's key format (12.4, satokengen [run]): "glsa_" + 32 characters + "_" + 8 hex digits, which are the CRC-32 of
// all before the last "_", its bytes in little-endian order. Says what is wrong with a text that is no such key.
[[nodiscard]] std::optional<std::string> malformed_key(std::string_view text);

}  // namespace graft::sink
