// What lies in a sink, as values: the state of the key, and the marker that names it. No I/O is included here, so that
// decisions (token/slot.hpp) can speak of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"

namespace graft::sink {

// What the marker says of one key. Several are kept (the last three generations), since the marker may be written
// before its key is.
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
  // Changes whenever anybody writes there, whatever is written (inode and times, resourceVersion, KV version); empty
  // when nothing is there. Only compared.
  std::string identity;
};

[[nodiscard]] std::string fingerprint(std::string_view salt, const Secret& key);

// Grafana's key format (12.4, satokengen [run]): "glsa_" + 32 characters + "_" + 8 hex digits, which are the CRC-32 of
// all before the last "_", its bytes in little-endian order. Says what is wrong with a text that is no such key.
[[nodiscard]] std::optional<std::string> malformed_key(std::string_view text);

}  // namespace graft::sink
