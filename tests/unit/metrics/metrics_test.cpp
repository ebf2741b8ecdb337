#include "metrics/metrics.hpp"

#include <algorithm>
#include <cstdio>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include "metrics/table.hpp"
#include "metrics/words.hpp"
#include "model/resource.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"
#include "unit/metrics/filled.hpp"

using namespace graft;
using namespace graft::metrics;
using test::noon;

namespace {

const BuildInfo build{"0.1.0", "c1fab8a", "12.2.0", "OpenSSL 3.0.22"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has_line(const Metrics& metrics, const std::string& wanted) {
  const std::vector<std::string> lines = lines_of(metrics.expose());
  return std::ranges::find(lines, wanted) != lines.end();
}

// The value of a series; nullopt: there is none.
std::optional<double> value_of(const Metrics& metrics, const std::string& series) {
  for (const std::string& line : lines_of(metrics.expose()))
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  return std::nullopt;
}

// Families as they are announced, in their order: "graftd_suspended gauge".
std::vector<std::string> families_in(const std::string& exposition) {
  std::vector<std::string> found;
  for (const std::string& line : lines_of(exposition))
    if (line.starts_with("# TYPE ")) found.push_back(line.substr(7));
  return found;
}

}  // namespace

TEST_CASE("what happened is in the exposition, under its name and labels") {
  struct Row {
    const char* line;
    std::function<void(Metrics&)> happened;
  };
  const std::vector<Row> rows{
      {R"(graftd_config_last_reload_successful 0)", [](Metrics& m) { m.config_reloaded(false, noon); }},
      {R"(graftd_config_last_reload_success_timestamp_seconds 1800000000)",
       [](Metrics& m) { m.config_reloaded(true, noon); }},
      {R"(graftd_reconcile_interval_seconds{source="manifests"} 90)",
       [](Metrics& m) { m.set_interval(std::chrono::seconds(90)); }},
      {R"(graftd_source_fetch_total{result="noop",source="manifests"} 1)",
       [](Metrics& m) { m.source_loaded({LoadResult::noop, Seconds(0.5), "r", 0, noon}); }},
      {R"(graftd_source_invalid_files{source="manifests"} 2)",
       [](Metrics& m) { m.source_loaded({LoadResult::error, Seconds(0.5), "r", 2, noon}); }},
      {R"(graftd_source_fetch_duration_seconds_bucket{source="manifests",le="1"} 1)",
       [](Metrics& m) { m.source_loaded({LoadResult::success, Seconds(0.5), "r", 0, noon}); }},
      {R"(graftd_reconcile_in_progress{source="manifests"} 1)", [](Metrics& m) { m.cycle_began(); }},
      {R"(graftd_reconcile_total{result="held",source="manifests"} 1)",
       [](Metrics& m) { m.cycle_ended(CycleResult::held, Seconds(2), noon); }},
      {R"(graftd_reconcile_duration_seconds_bucket{source="manifests",le="3"} 1)",
       [](Metrics& m) { m.cycle_ended(CycleResult::noop, Seconds(2), noon); }},
      {R"(graftd_consecutive_failures{source="manifests"} 4)", [](Metrics& m) { m.consecutive_failures(4); }},
      {R"(graftd_suspended{source="manifests"} 1)", [](Metrics& m) { m.suspended(true); }},
      {R"(graftd_objects{kind="Folder",state="held"} 5)",
       [](Metrics& m) { m.set_objects("Folder", ObjectState::held, 5); }},
      {R"(graftd_changes_total{action="delete",kind="Dashboard",result="error"} 1)",
       [](Metrics& m) { m.changed("Dashboard", Action::remove, Outcome::error); }},
      {R"(graftd_drift_detected_total{kind="Dashboard"} 1)", [](Metrics& m) { m.drift("Dashboard"); }},
      {R"(graftd_conflicts_total{kind="Folder"} 1)", [](Metrics& m) { m.conflict("Folder"); }},
      {R"(graftd_tokens{state="rotation_due"} 7)", [](Metrics& m) { m.set_tokens(TokenState::rotation_due, 7); }},
      {R"(graftd_token_next_rotation_timestamp_seconds 1800000000)", [](Metrics& m) { m.set_next_rotation(noon); }},
      {R"(graftd_token_rotations_total{reason="spec",result="success"} 1)",
       [](Metrics& m) { m.token_rotated(RotationReason::spec, Outcome::success); }},
      {R"(graftd_token_orphans_removed_total 1)", [](Metrics& m) { m.orphan_removed(); }},
      {R"(graftd_token_delivery_total{result="success",sink="vault"} 1)",
       [](Metrics& m) { m.token_delivered("vault"); }},
      {R"(graftd_token_delivery_total{result="error",sink="file"} 1)",
       [](Metrics& m) { m.token_not_delivered("file", ErrorCode::io); }},
      {R"(graftd_token_delivery_failures_total{reason="io",sink="file"} 1)",
       [](Metrics& m) { m.token_not_delivered("file", ErrorCode::io); }},
      {R"(graftd_token_verify_total{result="mismatch"} 1)",
       [](Metrics& m) { m.token_verified(Verification::mismatch); }},
      {R"(graftd_token_verify_total{result="error"} 1)", [](Metrics& m) { m.token_verified(Verification::unclear); }},
      {R"(graftd_grafana_inflight_requests 1)", [](Metrics& m) { m.request_began(); }},
      {R"(graftd_grafana_requests_total{code="error",method="GET",route="/api/org"} 1)",
       [](Metrics& m) { m.request("GET", "/api/org", 0, Seconds(1)); }},
      {R"(graftd_grafana_requests_total{code="4xx",method="GET",route="/api/org"} 1)",
       [](Metrics& m) { m.request("GET", "/api/org", 418, Seconds(1)); }},
      {R"(graftd_grafana_request_duration_seconds_sum{method="GET",route="/api/org"} 1.5)",
       [](Metrics& m) { m.request("GET", "/api/org", 200, Seconds(1.5)); }},
      {R"(graftd_http_redirects_refused_total 1)", [](Metrics& m) { m.request("GET", "/api/org", 302, Seconds(1)); }},
      {R"(graftd_grafana_retries_total{reason="rate_limited"} 1)", [](Metrics& m) { m.retried("rate_limited"); }},
      {R"(graftd_grafana_write_limit 4)", [](Metrics& m) { m.write_limit(4); }},
      {R"(graftd_grafana_circuit_open{cause="auth"} 1)", [](Metrics& m) { m.circuit(Circuit::auth, true); }},
      {R"(graftd_events_pending 3)", [](Metrics& m) { m.events_pending(3); }},
      {R"(graftd_events_delivered_total{result="error"} 1)", [](Metrics& m) { m.event_delivered(Outcome::error); }},
      {R"(graftd_state_dir_writable 1)", [](Metrics& m) { m.state_dir(true, 4096); }},
      {R"(graftd_state_bytes 4096)", [](Metrics& m) { m.state_dir(true, 4096); }},
      {R"(graftd_http_server_requests_total{code="200",handler="/metrics"} 1)",
       [](Metrics& m) { m.http_served("/metrics", 200); }},
      {R"(graftd_log_messages_total{level="warning"} 1)", [](Metrics& m) { m.logged(LogLevel::warning); }},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.line));
    Metrics metrics(build, noon);
    CHECK_FALSE(has_line(metrics, row.line));
    row.happened(metrics);
    CHECK(has_line(metrics, row.line));
  }
}

TEST_CASE("a fresh process says what it is, and counters that can be watched begin at 0") {
  const Metrics metrics(build, noon);
  CHECK(has_line(metrics,
                 R"(graftd_build_info{compiler="12.2.0",revision="c1fab8a",tls="OpenSSL 3.0.22",version="0.1.0"} 1)"));
  CHECK(value_of(metrics, "process_start_time_seconds") == 1'800'000'000.0);
  CHECK(value_of(metrics, R"(graftd_drift_detected_total{kind="Dashboard"})") == 0.0);
  CHECK(value_of(metrics, R"(graftd_reconcile_last_success_timestamp_seconds{source="manifests"})") == 0.0);
  CHECK(value_of(metrics, R"(graftd_grafana_circuit_open{cause="auth"})") == 0.0);
}

TEST_CASE("only cycles that leave nothing failed or undone move the time of the last success") {
  const std::string series = R"(graftd_reconcile_last_success_timestamp_seconds{source="manifests"})";
  Metrics metrics(build, noon);
  for (const CycleResult bad : {CycleResult::error, CycleResult::stopped, CycleResult::suspended})
    metrics.cycle_ended(bad, Seconds(1), noon);
  CHECK(value_of(metrics, series) == 0.0);
  WallTime at = noon;
  for (const CycleResult good : {CycleResult::success, CycleResult::noop, CycleResult::held}) {
    at += std::chrono::seconds(60);
    metrics.cycle_ended(good, Seconds(1), at);
    CHECK(value_of(metrics, series) == static_cast<double>(at.time_since_epoch().count()));
  }
  CHECK(value_of(metrics, R"(graftd_reconcile_in_progress{source="manifests"})") == 0.0);
}

TEST_CASE("sound manifests move the time of the last good reading, bad ones do not") {
  const std::string series = R"(graftd_source_last_success_timestamp_seconds{source="manifests"})";
  Metrics metrics(build, noon);
  metrics.source_loaded({LoadResult::error, Seconds(0.1), "", 1, noon});
  CHECK(value_of(metrics, series) == 0.0);
  metrics.source_loaded({LoadResult::noop, Seconds(0.1), "a", 0, noon});
  CHECK(value_of(metrics, series) == 1'800'000'000.0);
}

TEST_CASE("a new revision replaces the old one") {
  Metrics metrics(build, noon);
  metrics.source_loaded({LoadResult::success, Seconds(0.1), "first", 0, noon});
  metrics.source_loaded({LoadResult::success, Seconds(0.1), "second", 0, noon});
  CHECK_FALSE(has_line(metrics, R"(graftd_source_info{revision="first",source="manifests"} 1)"));
  CHECK(has_line(metrics, R"(graftd_source_info{revision="second",source="manifests"} 1)"));
}

TEST_CASE("tokens that are declared no more lose their series") {
  Metrics metrics(build, noon);
  const std::string kept = R"(graftd_token_expiration_timestamp_seconds{account="a",org="o",slot="kept"})";
  const std::string gone = R"(graftd_token_expiration_timestamp_seconds{account="a",org="o",slot="gone"})";
  metrics.set_token_expirations({{"o", "a", "kept", noon}, {"o", "a", "gone", noon}});
  CHECK(value_of(metrics, gone) == 1'800'000'000.0);
  metrics.set_token_expirations({{"o", "a", "kept", noon + std::chrono::seconds(5)}});
  CHECK_FALSE(value_of(metrics, gone));
  CHECK(value_of(metrics, kept) == 1'800'000'005.0);
  metrics.set_token_expirations({});
  CHECK_FALSE(value_of(metrics, kept));
}

TEST_CASE("beyond the limit of tokens those that expire last are left out, and counted") {
  Metrics metrics(build, noon);
  std::vector<TokenExpiration> tokens;
  for (std::size_t i = 0; i < token_expirations_limit + 3; ++i)
    tokens.push_back({"o", "a", fmt::format("t{}", i), noon - std::chrono::seconds(i)});
  metrics.set_token_expirations(std::move(tokens));
  CHECK(value_of(metrics, "graftd_token_expirations_left_out") == 3.0);
  CHECK_FALSE(value_of(metrics, R"(graftd_token_expiration_timestamp_seconds{account="a",org="o",slot="t2"})"));
  CHECK(value_of(metrics, R"(graftd_token_expiration_timestamp_seconds{account="a",org="o",slot="t3"})"));
}

TEST_CASE("without a rotation ahead there is no time of it") {
  Metrics metrics(build, noon);
  CHECK_FALSE(value_of(metrics, "graftd_token_next_rotation_timestamp_seconds"));
  metrics.set_next_rotation(noon);
  CHECK(value_of(metrics, "graftd_token_next_rotation_timestamp_seconds") == 1'800'000'000.0);
  metrics.set_next_rotation(std::nullopt);
  metrics.set_next_rotation(std::nullopt);
  CHECK_FALSE(value_of(metrics, "graftd_token_next_rotation_timestamp_seconds"));
}

TEST_CASE("requests that have ended are no longer in flight") {
  Metrics metrics(build, noon);
  metrics.request_began();
  metrics.request_began();
  metrics.request("GET", "/api/org", 200, Seconds(0.1));
  CHECK(value_of(metrics, "graftd_grafana_inflight_requests") == 1.0);
}

TEST_CASE("words that nobody listed make one series, not many") {
  Metrics metrics(build, noon);
  const std::size_t before = test::series_in(metrics.expose());
  for (int i = 0; i < 100; ++i) {
    metrics.drift(fmt::format("Kind{}", i));
    metrics.retried(fmt::format("reason {}", i));
    metrics.token_delivered(fmt::format("sink {}", i));
    metrics.http_served(fmt::format("/{}", i), 200 + i);
  }
  CHECK(value_of(metrics, R"(graftd_drift_detected_total{kind="other"})") == 100.0);
  CHECK(value_of(metrics, R"(graftd_http_server_requests_total{code="200",handler="other"})") == 1.0);
  CHECK(test::series_in(metrics.expose()) <= before + 6);
}

TEST_CASE("text of the manifests cannot break out of its label") {
  Metrics metrics(build, noon);
  metrics.set_token_expirations({{"o\"} 1\nx", "a\\", "s", noon}});
  CHECK(has_line(metrics,
                 R"(graftd_token_expiration_timestamp_seconds{account="a\\",org="o\"} 1\nx",slot="s"} 1800000000)"));
}

TEST_CASE("the process is measured when it is asked for") {
  const Metrics metrics(build, noon);
  CHECK(value_of(metrics, "process_resident_memory_bytes").value_or(0) > 1e6);
  const double open = value_of(metrics, "process_open_fds").value_or(0);
  CHECK(open >= 3);
  {
    const test::TemporaryDirectory directory;
    directory.write("file", "text");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen((directory / "file").c_str(), "r"),
                                                               std::fclose);
    CHECK(value_of(metrics, "process_open_fds") == open + 1);
  }
  CHECK(value_of(metrics, "process_max_fds").value_or(0) >= open);
  const double before = value_of(metrics, "process_cpu_seconds_total").value_or(0);
  CHECK(before > 0);
  CHECK(value_of(metrics, "process_cpu_seconds_total").value_or(0) >= before);
}

TEST_CASE("every row of the table is exposed once it has happened, in its order, and nothing else") {
  Metrics metrics(build, noon);
  test::fill(metrics, 1, 1);
  std::vector<std::string> wanted;
  for (const Metric& metric : table) {
    const std::string_view type = metric.type == Type::counter ? "counter"
                                  : metric.type == Type::gauge ? "gauge"
                                                               : "histogram";
    wanted.push_back(fmt::format("{} {}", metric.name, type));
  }
  CHECK(families_in(metrics.expose()) == wanted);
}

TEST_CASE("the names keep Prometheus' conventions") {
  std::set<std::string_view> names;
  for (const Metric& metric : table) {
    CAPTURE(std::string(metric.name));
    CHECK(names.insert(metric.name).second);
    CHECK((metric.name.starts_with("graftd_") || metric.name.starts_with("process_")));
    CHECK(metric.name.ends_with("_total") == (metric.type == Type::counter));
    CHECK(metric.buckets.empty() == (metric.type != Type::histogram));
    CHECK(metric.help.ends_with('.'));
    CHECK(metric.help.find('|') == std::string_view::npos);
  }
}

TEST_CASE("no listed word is missed by its enumeration: nothing that can happen is counted as other") {
  Metrics metrics(build, noon);
  test::fill(metrics, 1, 1);
  for (const std::string& line : lines_of(metrics.expose())) {
    CAPTURE(line);
    // The errors that a delivery is not expected to meet are "other".
    CHECK((line.find("\"other\"") == std::string::npos ||
           line.starts_with("graftd_token_delivery_failures_total{reason=\"other\"")));
  }
  CHECK(words(rows::kinds) == std::vector<std::string_view>{kind_organization.text(), kind_organization_member.text(),
                                                            kind_service_account.text(),
                                                            kind_service_account_token.text(), kind_folder.text(),
                                                            kind_dashboard.text()});
}

TEST_CASE("with 200 organizations and 800 tokens there are at most 2,000 series, scraped fast") {
  Metrics metrics(build, noon);
  test::fill(metrics, 200, 4);
  // The fastest of three: another process may take the processor away for a while.
  std::chrono::microseconds took{std::chrono::hours(1)};
  std::string text;
  for (int scrape = 0; scrape < 3; ++scrape) {
    const auto begun = std::chrono::steady_clock::now();
    text = metrics.expose();
    const auto now = std::chrono::steady_clock::now();
    took = std::min(took, std::chrono::duration_cast<std::chrono::microseconds>(now - begun));
  }
  MESSAGE(fmt::format("{} series, {} bytes, scraped in {} µs", test::series_in(text), text.size(), took.count()));
  CHECK(test::series_in(text) > 1'500);
  CHECK(test::series_in(text) <= 2'000);
  CHECK(took < std::chrono::seconds(1));
}

TEST_CASE("the number of series does not grow with cycles") {
  Metrics metrics(build, noon);
  test::fill(metrics, 20, 4);
  const std::size_t before = test::series_in(metrics.expose());
  for (int cycle = 0; cycle < 50; ++cycle) {
    test::fill(metrics, 20, 4);
    metrics.source_loaded({LoadResult::success, Seconds(0.1), fmt::format("revision {}", cycle), 0, noon});
  }
  CHECK(test::series_in(metrics.expose()) == before);
}

TEST_CASE("many threads may count and scrape at once") {
  Metrics metrics(build, noon);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&metrics, t] {
      for (int i = 0; i < 200; ++i) {
        metrics.drift("Folder");
        metrics.set_token_expirations({{"o", "a", fmt::format("{}-{}", t, i), noon}});
        if (i % 50 == 0) (void)metrics.expose();
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(value_of(metrics, R"(graftd_drift_detected_total{kind="Folder"})") == 800.0);
}

TEST_CASE("promtool finds nothing to say of the exposition") {
  Metrics metrics(build, noon);
  test::fill(metrics, 2, 2);
  const test::TemporaryDirectory directory;
  directory.write("metrics", metrics.expose());
  test_support::Process promtool({"/bin/sh", "-c", "promtool check metrics <" + (directory / "metrics")},
                                 directory.path().string());
  const int code = promtool.wait();
  REQUIRE_MESSAGE(code != 127, "promtool is missing; it comes with Debian's package prometheus");
  CHECK(code == 0);
  CHECK(promtool.out() == "");
  CHECK(promtool.err() == "");
}
