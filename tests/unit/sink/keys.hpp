// Keys and markers for the tests of the sinks.
#pragma once

#include <chrono>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <utility>

#include "base/hash.hpp"
#include "sink/sink.hpp"
#include "support/run_coroutine.hpp"

namespace graft::sink::testing {

// A well-formed key, a different one for each number.
inline std::string key_text(unsigned number) {
  const std::string start = fmt::format("glsa_{:032}", number);
  const std::uint32_t crc = crc32_ieee(start);
  return fmt::format("{}_{:02x}{:02x}{:02x}{:02x}", start, crc & 0xffU, (crc >> 8U) & 0xffU, (crc >> 16U) & 0xffU,
                     crc >> 24U);
}
inline Secret key(unsigned number) { return Secret(key_text(number)); }

// Names the keys 1 to `generations`, the newest first.
inline Marker marker(unsigned generations = 1) {
  Marker out{"owner", "2/sa-2-test/test-token", "0123456789abcdef0123456789abcdef", {}};
  for (unsigned i = generations; i > 0; --i)
    out.entries.push_back(
        {fingerprint(out.salt, key(i)), i, TokenId(10 + i), WallTime{std::chrono::seconds{1'800'000'000 + i}}});
  return out;
}

// On one context for all: a thread pool's work may let go of it a moment after the coroutine has ended.
template <class T>
T run(boost::asio::awaitable<T> work) {
  static boost::asio::io_context context(1);
  return test::run_on(context, std::move(work));
}

inline Reading must_read(Sink& sink) {
  auto reading = run(sink.read());
  REQUIRE_MESSAGE(reading, reading.error().describe());
  return std::move(*reading);
}
inline Status put(Sink& sink, unsigned number) {
  const Secret secret = key(number);
  const Marker with = marker(number);
  return run(sink.put(secret, with));
}
inline void must_put(Sink& sink, unsigned number) {
  const Status status = put(sink, number);
  REQUIRE_MESSAGE(status, status.error().describe());
}

// Nothing that a person or a log sees of an error holds the key.
inline void check_no_key(const Error& error, unsigned number) {
  const std::string text = error.describe() + error.server_text + error.server_code + error.hint;
  CHECK(text.find(key_text(number)) == std::string::npos);
  CHECK(text.find(base64(key_text(number))) == std::string::npos);
}

}  // namespace graft::sink::testing
