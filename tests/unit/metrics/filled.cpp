#include "unit/metrics/filled.hpp"

#include <fmt/format.h>
#include <sstream>

#include "grafana/route.hpp"
#include "metrics/table.hpp"
#include "metrics/words.hpp"

namespace graft::test {

using namespace graft::metrics;

namespace {

// A status for each word of a list of codes: of "4xx" one that is not listed by itself.
std::vector<int> statuses(std::string_view codes) {
  std::vector<int> found;
  for (const std::string_view word : words(codes))
    found.push_back(word == "error"        ? 0
                    : word.ends_with("xx") ? (word[0] - '0') * 100 + 99
                                           : std::stoi(std::string(word)));
  return found;
}

void fill_cycles(Metrics& metrics) {
  metrics.config_reloaded(true, noon);
  metrics.set_interval(std::chrono::seconds(60));
  metrics.suspended(false);
  metrics.consecutive_failures(0);
  for (int result = 0; result <= static_cast<int>(LoadResult::noop); ++result)
    metrics.source_loaded({static_cast<LoadResult>(result), Seconds(0.02), "a1b2c3", 0, noon});
  for (int result = 0; result <= static_cast<int>(CycleResult::suspended); ++result) {
    metrics.cycle_began();
    metrics.cycle_ended(static_cast<CycleResult>(result), Seconds(1.25), noon);
  }
}

void fill_kind(Metrics& metrics, std::string_view kind) {
  for (int state = 0; state <= static_cast<int>(ObjectState::skipped); ++state)
    metrics.set_objects(kind, static_cast<ObjectState>(state), 3);
  for (int action = 0; action <= static_cast<int>(Action::adopt); ++action) {
    metrics.changed(kind, static_cast<Action>(action), Outcome::success);
    metrics.changed(kind, static_cast<Action>(action), Outcome::error);
  }
  metrics.drift(kind);
  metrics.conflict(kind);
}

void fill_tokens(Metrics& metrics, std::size_t organizations, std::size_t tokens_each) {
  std::vector<TokenExpiration> expirations;
  for (std::size_t organization = 0; organization < organizations; ++organization)
    for (std::size_t token = 0; token < tokens_each; ++token)
      expirations.push_back({fmt::format("organization-{}", organization), fmt::format("account-{}", token % 2),
                             fmt::format("token-{}", token), noon + std::chrono::hours(token)});
  metrics.set_token_expirations(std::move(expirations));
  metrics.set_next_rotation(noon);
  for (int state = 0; state <= static_cast<int>(TokenState::problem); ++state)
    metrics.set_tokens(static_cast<TokenState>(state), 1);
  for (int reason = 0; reason <= static_cast<int>(RotationReason::forced); ++reason) {
    metrics.token_rotated(static_cast<RotationReason>(reason), Outcome::success);
    metrics.token_rotated(static_cast<RotationReason>(reason), Outcome::error);
  }
  for (const std::string_view sink : words(rows::sinks)) {
    metrics.token_delivered(sink);
    for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code)
      metrics.token_not_delivered(sink, static_cast<ErrorCode>(code));
  }
  for (int result = 0; result <= static_cast<int>(Verification::unclear); ++result)
    metrics.token_verified(static_cast<Verification>(result));
  metrics.orphan_removed();
}

void fill_requests(Metrics& metrics) {
  for (const grafana::Route& route : grafana::routes())
    for (const int status : statuses(rows::grafana_codes)) {
      metrics.request_began();
      metrics.request(route.method, route.path, status, Seconds(0.1));
    }
  for (const std::string_view reason : words(rows::retry_reason[0].values)) metrics.retried(reason);
  metrics.write_limit(4);
  metrics.circuit(Circuit::auth, false);
  metrics.circuit(Circuit::unavailable, true);
}

void fill_daemon(Metrics& metrics) {
  metrics.events_pending(2);
  metrics.event_delivered(Outcome::success);
  metrics.event_delivered(Outcome::error);
  metrics.state_dir(true, 4096);
  for (const std::string_view handler : words(rows::handlers))
    for (const int status : statuses(rows::server_codes)) metrics.http_served(handler, status);
  for (int level = 0; level <= static_cast<int>(LogLevel::error); ++level) metrics.logged(static_cast<LogLevel>(level));
}

}  // namespace

void fill(Metrics& metrics, std::size_t organizations, std::size_t tokens_each) {
  fill_cycles(metrics);
  for (const std::string_view kind : words(rows::kinds)) fill_kind(metrics, kind);
  fill_tokens(metrics, organizations, tokens_each);
  fill_requests(metrics);
  fill_daemon(metrics);
}

std::size_t series_in(const std::string& exposition) {
  std::istringstream text(exposition);
  std::size_t count = 0;
  for (std::string line; std::getline(text, line);)
    if (!line.empty() && line.front() != '#') ++count;
  return count;
}

}  // namespace graft::test
