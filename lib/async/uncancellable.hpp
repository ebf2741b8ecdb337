// uncancellable: work that, once begun, runs to its end although the caller is cancelled meanwhile; for the few steps
// that must not be left half done, such as handing over a key that Grafana shows only once.
//
// A caller that is cancelled already does not begin. One that is cancelled meanwhile gets the result and meets its
// cancellation at its next co_await.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/store_result.hpp"

namespace graft::async {

namespace detail {
asio::awaitable<void> run_uncancellable(asio::awaitable<void> work);
}  // namespace detail

template <class T>
[[nodiscard]] asio::awaitable<T> uncancellable(asio::awaitable<T> work) {
  if constexpr (std::is_void_v<T>) {
    co_await detail::run_uncancellable(std::move(work));
  } else {
    std::optional<T> result;
    auto storing = detail::store_result(std::move(work), result);
    co_await detail::run_uncancellable(std::move(storing));
    co_return std::move(*result);
  }
}

}  // namespace graft::async
