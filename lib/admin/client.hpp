// The other end, for our own command line: asks a running graftd over its Unix socket. Blocking; one connection a
// request; no Asio. Each call is complete in itself and may be made on any thread.
//
// Errors: unavailable (nobody listens there, retryable), forbidden (the socket is another user's), timeout, protocol,
// invalid (the path is too long).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::admin {

struct Call {
  std::string method = "GET";
  std::string target;                         // "/api/v1/status?verbose=1", encoded
  std::string body;                           // JSON; sent with POST
  std::chrono::milliseconds timeout{30'000};  // for the whole call
};

struct Reply {
  int status = 0;
  std::string content_type;
  std::string body;
};

[[nodiscard]] Result<Reply> call(const std::string& socket_path, const Call& request);

struct StreamedEvent {
  std::uint64_t id = 0;
  std::string name, data;
};

// Hands each event to `take` until it returns false (success), the server ends the stream (unavailable, retryable), or
// nothing at all, not even a comment, has come for `silence` (timeout). Begins after `last_id`, else with what comes
// now. Another answer than a stream is ErrorCode::rejected, with the server's text and http_status.
[[nodiscard]] Status follow(const std::string& socket_path, const std::string& target,
                            const std::function<bool(const StreamedEvent&)>& take,
                            std::optional<std::uint64_t> last_id = std::nullopt,
                            std::chrono::milliseconds silence = std::chrono::seconds(45));

}  // namespace graft::admin
