// with_deadline: some work, and the time that it may take. sleep_for: time alone.
//
// When time runs out the work is cancelled and waited for (nothing runs on in the background), and the result is
// ErrorCode::timeout, unless the work still ended with a value: what was done is never thrown away. A cancelled caller
// cancels the work; that is seen as the work's own result or exception.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "async/store_result.hpp"
#include "base/result.hpp"

namespace graft::async {

namespace detail {

// True when the time ran out. An exception of the work is passed on, but not the one by which it answers our
// cancelling.
asio::awaitable<bool> run_until(asio::awaitable<void> work, std::chrono::milliseconds limit);
Error out_of_time(const std::string& what, std::chrono::milliseconds limit);

}  // namespace detail

// `what` names the work in the error: "connecting to grafana:3000".
template <class T>
[[nodiscard]] asio::awaitable<Result<T>> with_deadline(asio::awaitable<Result<T>> work, std::chrono::milliseconds limit,
                                                       std::string what) {
  std::optional<Result<T>> result;
  auto storing = detail::store_result(std::move(work), result);
  const bool expired = co_await detail::run_until(std::move(storing), limit);
  if (result && (result->has_value() || !expired)) co_return std::move(*result);
  co_return fail(detail::out_of_time(what, limit));
}

// Ends early, by the exception operation_aborted, when the caller is cancelled.
[[nodiscard]] asio::awaitable<void> sleep_for(std::chrono::milliseconds duration);

}  // namespace graft::async
