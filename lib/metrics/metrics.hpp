// What graftd counts, by the name of what happened, and the text that Prometheus reads.
//
// Any thread. Every call is short: one lock, no I/O (expose() reads /proc/self). The metrics and their labels are those
// of table.hpp; words that are not listed there become "other", so series cannot grow without bound.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace graft::metrics {

using Seconds = std::chrono::duration<double>;

struct BuildInfo {
  std::string version, revision, compiler, tls;
};

// In the order of the words in table.hpp; a test compares them.
enum class Outcome : std::uint8_t { success, error };
enum class LoadResult : std::uint8_t { success, error, noop };
enum class CycleResult : std::uint8_t { success, noop, error, stopped, held, suspended };
enum class ObjectState : std::uint8_t { in_sync, drifted, failed, held, skipped };
enum class Action : std::uint8_t { create, update, remove, adopt };
enum class TokenState : std::uint8_t { in_use, rotation_due, pending, expired, problem };
enum class RotationReason : std::uint8_t { first, expiry, spec, lost, forced };
enum class Verification : std::uint8_t { ok, invalid, mismatch, unclear };
enum class Circuit : std::uint8_t { auth, unavailable };

// One reading of the manifests.
struct SourceLoad {
  LoadResult result = LoadResult::success;
  Seconds took{};
  std::string revision = {};  // that is in force afterwards; empty: none is
  std::size_t invalid_files = 0;
  WallTime at;
};

struct TokenExpiration {  // of a declared token whose key in use expires
  std::string organization, account, slot;
  WallTime expires_at;
};

inline constexpr std::size_t token_expirations_limit = 1000;

class Metrics {
 public:
  Metrics(const BuildInfo& build, WallTime started);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Configuration and manifests. A start counts as a reload.
  void config_reloaded(bool ok, WallTime at);
  void set_interval(Seconds interval);
  void source_loaded(const SourceLoad& load);

  // Cycles.
  void cycle_began();
  void cycle_ended(CycleResult result, Seconds took, WallTime at);
  void consecutive_failures(std::size_t count);
  void suspended(bool yes);

  // Resources. `kind` is KindName::text().
  void set_objects(std::string_view kind, ObjectState state, std::size_t count);
  void changed(std::string_view kind, Action action, Outcome outcome);
  void drift(std::string_view kind);
  void conflict(std::string_view kind);

  // Tokens. `sink` is file, kubernetes or vault.
  void set_tokens(TokenState state, std::size_t count);
  // The whole set: tokens that are not in it lose their series. Beyond the limit those that expire last are left out.
  void set_token_expirations(std::vector<TokenExpiration> tokens);
  void set_next_rotation(std::optional<WallTime> at);
  void token_rotated(RotationReason reason, Outcome outcome);
  void orphan_removed();
  void token_delivered(std::string_view sink);
  void token_not_delivered(std::string_view sink, ErrorCode why);
  void token_verified(Verification result);

  // Requests to Grafana. `route` is a template of grafana/route.hpp; `status` 0: no answer.
  void request_began();
  void request(std::string_view method, std::string_view route, int status, Seconds took);  // ends one that began
  void retried(std::string_view reason);
  void write_limit(std::size_t limit);
  void circuit(Circuit cause, bool open);

  // The rest of the daemon. `handler` is the path of a route of the HTTP endpoint.
  void events_pending(std::size_t count);
  void event_delivered(Outcome outcome);
  void state_dir(bool writable, std::uint64_t bytes);
  void http_served(std::string_view handler, int status);
  void logged(LogLevel level);

  // All of it in Prometheus' text format 0.0.4, in the order of the table.
  [[nodiscard]] std::string expose() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "Content-Type" of expose().
inline constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace graft::metrics
