#include "metrics/reference.hpp"

#include <fmt/format.h>

#include "metrics/table.hpp"
#include "metrics/words.hpp"

namespace graft::metrics {

namespace {

constexpr std::string_view head =
    R"(# Metrics

graftd answers `GET /metrics` in Prometheus' text format at `http.listen`, by default `127.0.0.1:9417`:

```yaml
scrape_configs:
  - job_name: graftd
    static_configs:
      - targets: ['127.0.0.1:9417']
```

- Alert rules: `deploy/prometheus/graftd.rules.yaml`, for a job named `graftd`. `promtool test rules
  deploy/prometheus/graftd.rules.test.yaml` shows what each one fires on.
- A dashboard, as a manifest that graftd applies itself: `deploy/grafana`.

There are at most 2,000 series with 200 organizations and 800 tokens, and no more of them with time. Organizations are named by
the expiration of declared tokens only. A label's value is a word listed below, or comes from the manifests or the build; anything
else is counted as `other`. Counters begin at 0 with the process.

| name | type | labels | meaning |
|---|---|---|---|
)";

std::string_view type_text(Type type) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      return "histogram";
  }
  return "";
}

// "`result`: success, error".
std::string labels_text(const Metric& metric) {
  std::string text;
  for (const Label& label : metric.labels) {
    text += fmt::format("{}`{}`", text.empty() ? "" : "<br>", label.name);
    std::string_view between = ": ";
    for (const std::string_view word : words(label.values)) {
      text += fmt::format("{}{}", between, word);
      between = ", ";
    }
  }
  return text;
}

std::string meaning_text(const Metric& metric) {
  std::string text(metric.help);
  if (!metric.buckets.empty()) text += fmt::format(" Buckets: {}.", fmt::join(metric.buckets, ", "));
  return text;
}

}  // namespace

std::string metrics_reference() {
  std::string out(head);
  for (const Metric& metric : table)
    out += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, type_text(metric.type), labels_text(metric),
                       meaning_text(metric));
  return out;
}

}  // namespace graft::metrics
