// Every metric that graftd exposes: the one table behind /metrics, docs/metrics.md and their tests.
//
// A label's value is one of the words listed here, or comes from the manifests or the build. A word that is not listed
// is exposed as "other": no answer of Grafana and no path can make a series.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace graft::metrics {

enum class Type : std::uint8_t { counter, gauge, histogram };

struct Label {
  std::string_view name;
  std::string_view values = {};  // "success|error", in the order of the enumeration behind it; empty: any text
};

struct Metric {
  std::string_view name;
  Type type = Type::gauge;
  std::span<const Label> labels = {};
  std::string_view help;                 // one line; exposed, and the meaning in the documentation
  std::span<const double> buckets = {};  // upper bounds, of histograms
};

namespace rows {

inline constexpr std::string_view kinds =
    "Organization|OrganizationMember|ServiceAccount|ServiceAccountToken|Folder|Dashboard";
inline constexpr std::string_view results = "success|error";
inline constexpr std::string_view sinks = "file|kubernetes|vault";
// A status of its own where it tells what to do, else its class; "error": no answer was had.
inline constexpr std::string_view grafana_codes =
    "200|201|400|401|403|404|409|412|429|500|502|503|504|1xx|2xx|3xx|4xx|5xx|error";
inline constexpr std::string_view server_codes = "200|202|304|400|401|403|404|422|503|504|1xx|2xx|3xx|4xx|5xx";
inline constexpr std::string_view handlers =
    "/|/metrics|/-/healthy|/-/ready|/-/startup|/-/reload|/livez|/readyz|/openapi.json|/api/v1/status|/api/v1/resources|"
    "/api/v1/plan|/api/v1/tokens|/api/v1/history|/api/v1/events|/api/v1/sync";

inline constexpr std::array build{Label{"version"}, Label{"revision"}, Label{"compiler"}, Label{"tls"}};
inline constexpr std::array source{Label{"source", "manifests"}};
inline constexpr std::array source_revision{Label{"source", "manifests"}, Label{"revision"}};
inline constexpr std::array source_result{Label{"source", "manifests"}, Label{"result", "success|error|noop"}};
inline constexpr std::array cycle_result{Label{"source", "manifests"},
                                         Label{"result", "success|noop|error|stopped|held|suspended"}};
inline constexpr std::array kind{Label{"kind", kinds}};
inline constexpr std::array kind_state{Label{"kind", kinds}, Label{"state", "in_sync|drifted|failed|held|skipped"}};
inline constexpr std::array kind_action_result{Label{"kind", kinds}, Label{"action", "create|update|delete|adopt"},
                                               Label{"result", results}};
inline constexpr std::array token_state{Label{"state", "in_use|rotation_due|pending|expired|problem"}};
inline constexpr std::array token_slot{Label{"org"}, Label{"account"}, Label{"slot"}};
inline constexpr std::array rotation{Label{"reason", "first|expiry|spec|lost|forced"}, Label{"result", results}};
inline constexpr std::array sink_result{Label{"sink", sinks}, Label{"result", results}};
inline constexpr std::array sink_reason{Label{"sink", sinks},
                                        Label{"reason", "conflict|io|forbidden|unavailable|ambiguous|invalid"}};
inline constexpr std::array verification{Label{"result", "ok|invalid|mismatch|error"}};
inline constexpr std::array method_route_code{Label{"method", "GET|POST|PUT|PATCH|DELETE"}, Label{"route"},
                                              Label{"code", grafana_codes}};
inline constexpr std::array method_route{Label{"method", "GET|POST|PUT|PATCH|DELETE"}, Label{"route"}};
inline constexpr std::array retry_reason{Label{"reason", "rate_limited|unavailable|timeout|no_answer"}};
inline constexpr std::array cause{Label{"cause", "auth|unavailable"}};
inline constexpr std::array result{Label{"result", results}};
inline constexpr std::array handler_code{Label{"handler", handlers}, Label{"code", server_codes}};
inline constexpr std::array level{Label{"level", "debug|info|warning|error"}};

// Few: a bucket costs a series for each of some 25 routes.
inline constexpr std::array request_buckets{0.05, 0.25, 1.0, 5.0};
inline constexpr std::array cycle_buckets{0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0};
inline constexpr std::array load_buckets{0.01, 0.1, 1.0, 10.0};

}  // namespace rows

inline constexpr std::array table{
    Metric{"graftd_build_info", Type::gauge, rows::build, "Always 1; what this build is."},
    Metric{"graftd_config_last_reload_successful",
           Type::gauge,
           {},
           "1 when the configuration was sound the last time it was read, else 0 and the one before stays in force."},
    Metric{"graftd_config_last_reload_success_timestamp_seconds",
           Type::gauge,
           {},
           "When a sound configuration was read last."},

    Metric{"graftd_source_info", Type::gauge, rows::source_revision,
           "Always 1; the revision of the manifests that is in force."},
    Metric{"graftd_source_fetch_total", Type::counter, rows::source_result,
           "Readings of the manifests: error, when they could not be read or hold errors; noop, when nothing had "
           "changed."},
    Metric{"graftd_source_fetch_duration_seconds", Type::histogram, rows::source,
           "How long reading the manifests took, those that had not changed included.", rows::load_buckets},
    Metric{"graftd_source_last_success_timestamp_seconds", Type::gauge, rows::source,
           "When sound manifests were read last, changed or not; 0 before the first."},
    Metric{"graftd_source_invalid_files", Type::gauge, rows::source,
           "Files with errors in the newest reading of the manifests; with any, the last good revision stays in "
           "force."},

    Metric{"graftd_reconcile_total", Type::counter, rows::cycle_result,
           "Cycles that have ended: success made changes, noop had none to make, error left something failed or "
           "undone, held waits with something, suspended only compared, stopped could not be carried out (no login, no "
           "answer, no manifests, or graftd was ending)."},
    Metric{"graftd_reconcile_duration_seconds", Type::histogram, rows::source, "How long cycles took.",
           rows::cycle_buckets},
    Metric{"graftd_reconcile_last_success_timestamp_seconds", Type::gauge, rows::source,
           "When a cycle ended last that left nothing failed or undone (success, noop or held); 0 before the first."},
    Metric{"graftd_reconcile_in_progress", Type::gauge, rows::source, "1 while a cycle runs, else 0."},
    Metric{"graftd_reconcile_interval_seconds", Type::gauge, rows::source,
           "The setting interval: from one cycle to the next when all is well."},
    Metric{"graftd_consecutive_failures", Type::gauge, rows::source,
           "Cycles in a row that could not be carried out at all; 0 after one that could."},
    Metric{"graftd_suspended", Type::gauge, rows::source, "1 while cycles only compare and change nothing, else 0."},

    Metric{"graftd_objects", Type::gauge, rows::kind_state, "Declared resources by what the newest cycle found."},
    Metric{"graftd_changes_total", Type::counter, rows::kind_action_result,
           "Changes to Grafana that were tried, by what became of them."},
    Metric{"graftd_drift_detected_total", Type::counter, rows::kind,
           "Resources that were as declared and were then found changed or gone, although their manifest had not "
           "changed."},
    Metric{"graftd_conflicts_total", Type::counter, rows::kind,
           "Changes given up for this cycle since somebody else was changing the same resource (HTTP 409, 412)."},

    Metric{"graftd_tokens", Type::gauge, rows::token_state,
           "Declared tokens: pending has no key yet, problem needs a look (graftd tokens list says why)."},
    Metric{"graftd_token_expiration_timestamp_seconds", Type::gauge, rows::token_slot,
           "When the key in use expires, for each declared token that expires; at most 1000, the soonest first."},
    Metric{"graftd_token_expirations_left_out",
           Type::gauge,
           {},
           "Declared tokens that have no series of their expiration because there are more than 1000."},
    Metric{"graftd_token_next_rotation_timestamp_seconds",
           Type::gauge,
           {},
           "When the next key is to be replaced; no series when none is."},
    Metric{"graftd_token_rotations_total", Type::counter, rows::rotation,
           "Keys asked for: first is a token's first key, expiry replaces one in time, spec one that is not as "
           "declared, lost one that is gone or dead, forced was asked for by a person."},
    Metric{"graftd_token_orphans_removed_total",
           Type::counter,
           {},
           "Tokens deleted in Grafana whose key was lost before it was delivered."},
    Metric{"graftd_token_delivery_total", Type::counter, rows::sink_result, "Keys written to a place of that kind."},
    Metric{"graftd_token_delivery_failures_total", Type::counter, rows::sink_reason,
           "Keys that could not be written, by the reason."},
    Metric{"graftd_token_verify_total", Type::counter, rows::verification,
           "Grafana asked whose a delivered key is: invalid was refused, mismatch belongs to another account, error "
           "was no clear answer."},

    Metric{"graftd_grafana_requests_total", Type::counter, rows::method_route_code,
           "Requests to Grafana that have ended; route is a template, code error means that there was no answer."},
    Metric{"graftd_grafana_request_duration_seconds", Type::histogram, rows::method_route,
           "How long requests to Grafana took, waiting for their turn not included.", rows::request_buckets},
    Metric{"graftd_grafana_inflight_requests", Type::gauge, {}, "Requests to Grafana under way."},
    Metric{"graftd_grafana_write_limit",
           Type::gauge,
           {},
           "Writes allowed at once; grows while Grafana answers well and halves when it shows trouble."},
    Metric{"graftd_grafana_retries_total", Type::counter, rows::retry_reason,
           "Requests to Grafana repeated within a cycle: rate_limited is HTTP 429, unavailable is 502, 503 and 504."},
    Metric{"graftd_grafana_circuit_open", Type::gauge, rows::cause,
           "1 while requests are held back: auth, since a login was refused; unavailable, since the newest cycle had "
           "no answer from Grafana."},
    Metric{"graftd_http_redirects_refused_total",
           Type::counter,
           {},
           "Redirects that Grafana, or something in its place, answered with and that were not followed."},

    Metric{"graftd_events_pending", Type::gauge, {}, "Events that the webhook has not taken yet."},
    Metric{"graftd_events_delivered_total", Type::counter, rows::result, "Deliveries to the webhook, tries included."},

    Metric{"graftd_state_dir_writable", Type::gauge, {}, "1 when the state directory can be written, else 0."},
    Metric{"graftd_state_bytes", Type::gauge, {}, "Size of the files in the state directory."},
    Metric{"graftd_http_server_requests_total", Type::counter, rows::handler_code,
           "Requests answered by graftd's own HTTP endpoint."},
    Metric{"graftd_log_messages_total", Type::counter, rows::level, "Log messages by level."},

    Metric{"process_cpu_seconds_total", Type::counter, {}, "User and system time of the processor."},
    Metric{"process_resident_memory_bytes", Type::gauge, {}, "Memory resident in RAM."},
    Metric{"process_virtual_memory_bytes", Type::gauge, {}, "Size of the address space."},
    Metric{"process_open_fds", Type::gauge, {}, "Open file descriptors."},
    Metric{"process_max_fds", Type::gauge, {}, "File descriptors that may be open."},
    Metric{"process_start_time_seconds", Type::gauge, {}, "When the process began."},
};

// The row of a metric; a name that is not in the table does not compile.
consteval std::size_t row(std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i].name == name) return i;
  throw "no such metric";
}

}  // namespace graft::metrics
