// Error and Result<T>: how every expected failure travels. Exceptions mean a bug (or bad_alloc) and are caught at the
// root of a task only.
//
// An Error keeps our words and the server's words apart: the server's text is shown to people, never parsed and never
// decided upon. Decide on `code`. Whether a retry can help is decided where the error is made; who retries, and when,
// is decided by the loop alone.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/position.hpp"

namespace graft {

enum class ErrorCode : std::uint8_t {
  invalid,          // what a person gave us is wrong: manifest, setting, argument
  not_found,        // it is not there
  exists,           // it is there already
  conflict,         // somebody else changed it since we read it
  unauthenticated,  // the login or key was refused (401)
  forbidden,        // Grafana says that we may not (403)
  rejected,         // Grafana refused the content of the request (400, 413, 422)
  unavailable,      // no connection, 429 or 5xx: the request was not carried out, or may be repeated
  timeout,          // no answer in the time allowed; nothing was changed, or it may be repeated
  ambiguous,        // the request was sent and its reply was lost: it may have been carried out
  protocol,         // the answer is not one of Grafana's API: HTML, a redirect, a body cut short
  unsupported,      // this server, or this build, cannot do it
  blocked,          // we refuse to act: circuit breaker open, lock held, limit reached
  io,               // a local file or directory
  cancelled,        // we are stopping
  internal,         // a bug
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;      // our words: what failed, on what
  std::string server_text;  // the server's words, shortened; may hold anything
  std::string server_code;  // the server's own code for the case ("serviceaccounts.ErrNotFound"); may be decided upon
  std::string hint;         // what to do next; empty when there is nothing to add
  Position where;           // the manifest or file it is about, when there is one
  int http_status = 0;      // 0: no answer was had
  bool retryable = false;   // may succeed if simply tried again later

  Error() = default;
  Error(ErrorCode error_code, std::string text) : code(error_code), message(std::move(text)) {}

  // Each returns the error itself, so that one is built and returned in one expression.
  Error&& with_hint(std::string text) &&;
  Error&& with_server_text(std::string_view text) &&;  // 500 bytes; without control characters, keys, logins
  Error&& at(Position position) &&;
  Error&& retry() &&;
  Error&& context(std::string_view prefix) &&;  // "prefix: message"

  // One line for a person: place, message, the server's words, the hint.
  [[nodiscard]] std::string describe() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error(code, std::move(message)));
}

}  // namespace graft
