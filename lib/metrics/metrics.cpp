#include "metrics/metrics.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>
#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>
#include <tuple>

#include "metrics/process.hpp"
#include "metrics/table.hpp"
#include "metrics/words.hpp"

namespace graft::metrics {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Values = std::initializer_list<std::string_view>;

constexpr std::string_view source_name = "manifests";

double seconds_since_epoch(WallTime time) { return static_cast<double>(time.time_since_epoch().count()); }

std::unique_ptr<prometheus::Collectable> make_family(const Metric& metric) {
  const std::string name(metric.name), help(metric.help);
  switch (metric.type) {
    case Type::counter:
      return std::make_unique<Family<Counter>>(name, help, prometheus::Labels{});
    case Type::gauge:
      return std::make_unique<Family<Gauge>>(name, help, prometheus::Labels{});
    case Type::histogram:
      return std::make_unique<Family<Histogram>>(name, help, prometheus::Labels{});
  }
  return nullptr;
}

// Listed words as they are, others as "other"; what may be any text as it is.
prometheus::Labels labels_of(const Metric& metric, Values values) {
  prometheus::Labels labels;
  auto value = values.begin();
  for (const Label& label : metric.labels) {
    const std::string_view given = value == values.end() ? std::string_view() : *value++;
    const bool known = label.values.empty() || is_listed(label.values, given);
    labels.emplace(label.name, known ? given : "other");
  }
  return labels;
}

std::string_view word(std::size_t row, std::size_t label, auto value) {
  return word_at(table[row].labels[label].values, static_cast<std::size_t>(value));
}

// The words of metrics/table.hpp, rows::sink_reason.
std::string_view failure_word(ErrorCode why) {
  switch (why) {
    case ErrorCode::conflict:
    case ErrorCode::exists:
      return "conflict";
    case ErrorCode::io:
      return "io";
    case ErrorCode::forbidden:
    case ErrorCode::unauthenticated:
      return "forbidden";
    case ErrorCode::unavailable:
    case ErrorCode::timeout:
      return "unavailable";
    case ErrorCode::ambiguous:
      return "ambiguous";
    case ErrorCode::invalid:
    case ErrorCode::rejected:
    case ErrorCode::not_found:
      return "invalid";
    default:
      return "other";
  }
}

// The families in the order of the table. Not locked: its owner is.
class Families {
 public:
  Families() {
    for (const Metric& metric : table) families_.push_back(make_family(metric));
  }

  Counter& counter(std::size_t row, Values values = {}) { return series<Counter>(row, values); }
  Gauge& gauge(std::size_t row, Values values = {}) { return series<Gauge>(row, values); }
  void observe(std::size_t row, Seconds took, Values values) {
    const std::span<const double> buckets = table[row].buckets;
    family<Histogram>(row)
        .Add(labels_of(table[row], values), Histogram::BucketBoundaries(buckets.begin(), buckets.end()))
        .Observe(took.count());
  }
  template <class T>
  Family<T>& family(std::size_t row) {
    return static_cast<Family<T>&>(*families_[row]);
  }

  [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const {
    std::vector<prometheus::MetricFamily> all;
    for (const auto& family : families_)
      for (prometheus::MetricFamily& one : family->Collect()) all.push_back(std::move(one));
    return all;
  }

 private:
  template <class T>
  T& series(std::size_t row, Values values) {
    return family<T>(row).Add(labels_of(table[row], values));
  }

  std::vector<std::unique_ptr<prometheus::Collectable>> families_;
};

}  // namespace

struct Metrics::Impl {
  using SlotName = std::tuple<std::string, std::string, std::string>;

  mutable std::mutex mutex;
  mutable Families families;  // what the process uses is read while exposing
  std::map<SlotName, Gauge*> expirations;
  Gauge* revision = nullptr;
  std::string revision_text;
  Gauge* next_rotation = nullptr;

  [[nodiscard]] auto lock() const { return std::scoped_lock<std::mutex>(mutex); }

  // A counter that does not exist cannot be seen to grow: what is listed is there from the start, where it is little.
  void begin_counters(std::size_t row) {
    const std::span<const Label> labels = table[row].labels;
    if (labels.empty()) {
      families.counter(row);
    } else if (labels.size() == 1) {
      for (const std::string_view one : words(labels[0].values)) families.counter(row, {one});
    } else {
      for (const std::string_view one : words(labels[0].values))
        for (const std::string_view two : words(labels[1].values)) families.counter(row, {one, two});
    }
  }

  void begin_series() {
    for (const std::size_t counters :
         {row("graftd_source_fetch_total"), row("graftd_reconcile_total"), row("graftd_drift_detected_total"),
          row("graftd_conflicts_total"), row("graftd_token_rotations_total"), row("graftd_token_orphans_removed_total"),
          row("graftd_token_verify_total"), row("graftd_token_delivery_total"), row("graftd_grafana_retries_total"),
          row("graftd_http_redirects_refused_total"), row("graftd_events_delivered_total"),
          row("graftd_log_messages_total")})
      begin_counters(counters);
    for (const std::size_t gauge :
         {row("graftd_source_last_success_timestamp_seconds"), row("graftd_source_invalid_files"),
          row("graftd_reconcile_last_success_timestamp_seconds"), row("graftd_reconcile_in_progress"),
          row("graftd_consecutive_failures"), row("graftd_suspended")})
      families.gauge(gauge, {source_name});
    for (const std::size_t gauge : {row("graftd_grafana_inflight_requests"), row("graftd_events_pending"),
                                    row("graftd_token_expirations_left_out")})
      families.gauge(gauge);
    for (const std::string_view cause : words(rows::cause[0].values))
      families.gauge(row("graftd_grafana_circuit_open"), {cause});
    for (const std::string_view state : words(rows::token_state[0].values))
      families.gauge(row("graftd_tokens"), {state});
  }

  void set_revision(const std::string& text) {
    if (revision != nullptr && revision_text == text) return;
    constexpr std::size_t info = row("graftd_source_info");
    if (revision != nullptr) families.family<Gauge>(info).Remove(revision);
    revision = nullptr;
    revision_text = text;
    if (text.empty()) return;
    revision = &families.gauge(info, {source_name, text});
    revision->Set(1);
  }

  void measure_process() const {
    const ProcessUse use = process_use();
    const auto set = [this](std::size_t row, const std::optional<std::uint64_t>& value) {
      if (value) families.gauge(row).Set(static_cast<double>(*value));
    };
    Counter& cpu = families.counter(row("process_cpu_seconds_total"));
    cpu.Increment(std::max(0.0, use.cpu_seconds - cpu.Value()));
    set(row("process_resident_memory_bytes"), use.resident_bytes);
    set(row("process_virtual_memory_bytes"), use.virtual_bytes);
    set(row("process_open_fds"), use.open_files);
    set(row("process_max_fds"), use.max_files);
  }
};

Metrics::Metrics(const BuildInfo& build, WallTime started) : impl_(std::make_unique<Impl>()) {
  impl_->begin_series();
  impl_->families.gauge(row("graftd_build_info"), {build.version, build.revision, build.compiler, build.tls}).Set(1);
  impl_->families.gauge(row("process_start_time_seconds")).Set(seconds_since_epoch(started));
}

Metrics::~Metrics() = default;

void Metrics::config_reloaded(bool ok, WallTime at) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_config_last_reload_successful")).Set(ok ? 1 : 0);
  if (ok)
    impl_->families.gauge(row("graftd_config_last_reload_success_timestamp_seconds")).Set(seconds_since_epoch(at));
}

void Metrics::set_interval(Seconds interval) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_reconcile_interval_seconds"), {source_name}).Set(interval.count());
}

void Metrics::source_loaded(const SourceLoad& load) {
  const auto lock = impl_->lock();
  constexpr std::size_t total = row("graftd_source_fetch_total");
  Families& families = impl_->families;
  families.counter(total, {source_name, word(total, 1, load.result)}).Increment();
  families.observe(row("graftd_source_fetch_duration_seconds"), load.took, {source_name});
  families.gauge(row("graftd_source_invalid_files"), {source_name}).Set(static_cast<double>(load.invalid_files));
  if (load.result != LoadResult::error)
    families.gauge(row("graftd_source_last_success_timestamp_seconds"), {source_name})
        .Set(seconds_since_epoch(load.at));
  impl_->set_revision(load.revision);
}

void Metrics::cycle_began() {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_reconcile_in_progress"), {source_name}).Set(1);
}

void Metrics::cycle_ended(CycleResult result, Seconds took, WallTime at) {
  const auto lock = impl_->lock();
  constexpr std::size_t total = row("graftd_reconcile_total");
  Families& families = impl_->families;
  families.gauge(row("graftd_reconcile_in_progress"), {source_name}).Set(0);
  families.counter(total, {source_name, word(total, 1, result)}).Increment();
  families.observe(row("graftd_reconcile_duration_seconds"), took, {source_name});
  if (result == CycleResult::success || result == CycleResult::noop || result == CycleResult::held)
    families.gauge(row("graftd_reconcile_last_success_timestamp_seconds"), {source_name}).Set(seconds_since_epoch(at));
}

void Metrics::consecutive_failures(std::size_t count) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_consecutive_failures"), {source_name}).Set(static_cast<double>(count));
}

void Metrics::suspended(bool yes) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_suspended"), {source_name}).Set(yes ? 1 : 0);
}

void Metrics::set_objects(std::string_view kind, ObjectState state, std::size_t count) {
  const auto lock = impl_->lock();
  constexpr std::size_t objects = row("graftd_objects");
  impl_->families.gauge(objects, {kind, word(objects, 1, state)}).Set(static_cast<double>(count));
}

void Metrics::changed(std::string_view kind, Action action, Outcome outcome) {
  const auto lock = impl_->lock();
  constexpr std::size_t changes = row("graftd_changes_total");
  impl_->families.counter(changes, {kind, word(changes, 1, action), word(changes, 2, outcome)}).Increment();
}

void Metrics::drift(std::string_view kind) {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_drift_detected_total"), {kind}).Increment();
}

void Metrics::conflict(std::string_view kind) {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_conflicts_total"), {kind}).Increment();
}

void Metrics::set_tokens(TokenState state, std::size_t count) {
  const auto lock = impl_->lock();
  constexpr std::size_t tokens = row("graftd_tokens");
  impl_->families.gauge(tokens, {word(tokens, 0, state)}).Set(static_cast<double>(count));
}

void Metrics::set_token_expirations(std::vector<TokenExpiration> tokens) {
  const auto lock = impl_->lock();
  constexpr std::size_t expirations = row("graftd_token_expiration_timestamp_seconds");
  std::ranges::stable_sort(tokens, {}, &TokenExpiration::expires_at);
  const std::size_t shown = std::min(tokens.size(), token_expirations_limit);
  impl_->families.gauge(row("graftd_token_expirations_left_out")).Set(static_cast<double>(tokens.size() - shown));
  tokens.resize(shown);
  std::map<Impl::SlotName, Gauge*> before = std::exchange(impl_->expirations, {});
  for (const TokenExpiration& token : tokens) {
    Gauge& gauge = impl_->families.gauge(expirations, {token.organization, token.account, token.slot});
    gauge.Set(seconds_since_epoch(token.expires_at));
    const Impl::SlotName name(token.organization, token.account, token.slot);
    impl_->expirations.emplace(name, &gauge);
    before.erase(name);
  }
  for (const auto& [name, gauge] : before) impl_->families.family<Gauge>(expirations).Remove(gauge);
}

void Metrics::set_next_rotation(std::optional<WallTime> at) {
  const auto lock = impl_->lock();
  constexpr std::size_t next = row("graftd_token_next_rotation_timestamp_seconds");
  if (at) {
    impl_->next_rotation = &impl_->families.gauge(next);
    impl_->next_rotation->Set(seconds_since_epoch(*at));
  } else if (impl_->next_rotation != nullptr) {
    impl_->families.family<Gauge>(next).Remove(std::exchange(impl_->next_rotation, nullptr));
  }
}

void Metrics::token_rotated(RotationReason reason, Outcome outcome) {
  const auto lock = impl_->lock();
  constexpr std::size_t rotations = row("graftd_token_rotations_total");
  impl_->families.counter(rotations, {word(rotations, 0, reason), word(rotations, 1, outcome)}).Increment();
}

void Metrics::orphan_removed() {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_token_orphans_removed_total")).Increment();
}

void Metrics::token_delivered(std::string_view sink) {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_token_delivery_total"), {sink, "success"}).Increment();
}

void Metrics::token_not_delivered(std::string_view sink, ErrorCode why) {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_token_delivery_total"), {sink, "error"}).Increment();
  impl_->families.counter(row("graftd_token_delivery_failures_total"), {sink, failure_word(why)}).Increment();
}

void Metrics::token_verified(Verification result) {
  const auto lock = impl_->lock();
  constexpr std::size_t verified = row("graftd_token_verify_total");
  impl_->families.counter(verified, {word(verified, 0, result)}).Increment();
}

void Metrics::request_began() {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_grafana_inflight_requests")).Increment();
}

void Metrics::request(std::string_view method, std::string_view route, int status, Seconds took) {
  const auto lock = impl_->lock();
  Families& families = impl_->families;
  const std::string code = code_word(rows::grafana_codes, status);
  families.gauge(row("graftd_grafana_inflight_requests")).Decrement();
  families.counter(row("graftd_grafana_requests_total"), {method, route, code}).Increment();
  families.observe(row("graftd_grafana_request_duration_seconds"), took, {method, route});
  if (status >= 300 && status <= 399) families.counter(row("graftd_http_redirects_refused_total")).Increment();
}

void Metrics::retried(std::string_view reason) {
  const auto lock = impl_->lock();
  impl_->families.counter(row("graftd_grafana_retries_total"), {reason}).Increment();
}

void Metrics::write_limit(std::size_t limit) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_grafana_write_limit")).Set(static_cast<double>(limit));
}

void Metrics::circuit(Circuit cause, bool open) {
  const auto lock = impl_->lock();
  constexpr std::size_t circuits = row("graftd_grafana_circuit_open");
  impl_->families.gauge(circuits, {word(circuits, 0, cause)}).Set(open ? 1 : 0);
}

void Metrics::events_pending(std::size_t count) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_events_pending")).Set(static_cast<double>(count));
}

void Metrics::event_delivered(Outcome outcome) {
  const auto lock = impl_->lock();
  constexpr std::size_t delivered = row("graftd_events_delivered_total");
  impl_->families.counter(delivered, {word(delivered, 0, outcome)}).Increment();
}

void Metrics::state_dir(bool writable, std::uint64_t bytes) {
  const auto lock = impl_->lock();
  impl_->families.gauge(row("graftd_state_dir_writable")).Set(writable ? 1 : 0);
  impl_->families.gauge(row("graftd_state_bytes")).Set(static_cast<double>(bytes));
}

void Metrics::http_served(std::string_view handler, int status) {
  const auto lock = impl_->lock();
  const std::string code = code_word(rows::server_codes, status);
  impl_->families.counter(row("graftd_http_server_requests_total"), {handler, code}).Increment();
}

void Metrics::logged(LogLevel level) {
  const auto lock = impl_->lock();
  constexpr std::size_t messages = row("graftd_log_messages_total");
  impl_->families.counter(messages, {word(messages, 0, level)}).Increment();
}

std::string Metrics::expose() const {
  std::vector<prometheus::MetricFamily> all;
  {
    const auto lock = impl_->lock();
    impl_->measure_process();
    all = impl_->families.collect();
  }
  const prometheus::TextSerializer serializer;
  for (prometheus::MetricFamily& family : all) std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
  return serializer.Serialize(all);
}

}  // namespace graft::metrics
