// A detail of this folder: turns any awaitable into an awaitable<void> that leaves its value in an optional, so that
// the heavy half of each helper is compiled once, in its .cpp.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <utility>

namespace graft::async {

namespace asio = boost::asio;

namespace detail {

template <class T>
asio::awaitable<void> store_result(asio::awaitable<T> work, std::optional<T>& out) {
  T value = co_await std::move(work);
  out.emplace(std::move(value));
}

}  // namespace detail

}  // namespace graft::async
