// How a receiver knows that an event is ours and fresh: HMAC-SHA256 with a shared secret over "<timestamp>.<body>".
//
//   X-Graftd-Event: failure
//   X-Graftd-Delivery: 0123456789abcdef0123456789abcdef     the same at each attempt: by it duplicates are known
//   X-Graftd-Timestamp: 1800000000                          of the attempt; what is older than minutes is a replay
//   X-Graftd-Signature: v1=<64 hex digits>[, v1=<…>]        one for each secret: one of them must be right
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/transport.hpp"
#include "state/history.hpp"

namespace graft::events {

using SigningKeys = std::vector<Secret>;  // one, or two while the secret is replaced

// The content of the secret file: one line, or two. ErrorCode::invalid for anything else, and for a line of less than
// `shortest_secret` characters. Never repeats what it was given.
[[nodiscard]] Result<SigningKeys> read_signing_keys(Secret content);
inline constexpr std::size_t shortest_secret = 16;

[[nodiscard]] std::string signature_of(const SigningKeys& keys, WallTime time, std::string_view body);

// The four headers above, and Content-Type.
[[nodiscard]] http::Headers headers_of(const state::Event& event, const SigningKeys& keys, WallTime time);

}  // namespace graft::events
