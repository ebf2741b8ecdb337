// graftd-metrics(7).
#include <fmt/format.h>
#include <memory>

#include "daemon/manual.hpp"
#include "daemon/manual_text.hpp"
#include "daemon/settings.hpp"
#include "manifest/reader.hpp"
#include "metrics/table.hpp"

namespace graft::daemon {

namespace {

using manifest::Node;

std::string_view word_of(metrics::Type type) {
  switch (type) {
    case metrics::Type::counter:
      return "counter";
    case metrics::Type::gauge:
      return "gauge";
    case metrics::Type::histogram:
      break;
  }
  return "histogram";
}

// "success|error" as "`success`, `error`".
std::string values_of(std::string_view listed) {
  std::string out;
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = std::min(listed.find('|', at), listed.size());
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", listed.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string metric_list() {
  std::string out = mdoc::section("METRICS") + ".Bl -tag -width Ds\n";
  for (const metrics::Metric& metric : metrics::table) {
    out += fmt::format(".It Va {} Pq {}\n", metric.name, word_of(metric.type)) + mdoc::prose(metric.help);
    std::string labels;
    for (const metrics::Label& label : metric.labels) {
      labels += fmt::format("{}`{}`", labels.empty() ? "Labels: " : "; ", label.name);
      if (!label.values.empty()) labels += fmt::format(" ({})", values_of(label.values));
    }
    if (!labels.empty()) out += ".Pp\n" + mdoc::prose(labels + ".");
  }
  return out + ".El\n";
}

std::string text_at(const Node& map, std::string_view key) {
  const Node* found = map.type == Node::Type::map ? map.find(key) : nullptr;
  return found == nullptr ? std::string() : found->scalar;
}

std::string alert_item(const Node& rule) {
  const Node* annotations = rule.find("annotations");
  const Node* labels = rule.find("labels");
  if (text_at(rule, "alert").empty() || annotations == nullptr || labels == nullptr) return "";
  return fmt::format(".It Ic {} Pq {}\n", text_at(rule, "alert"), mdoc::words(text_at(*labels, "severity"))) +
         mdoc::prose(fmt::format("{}.", text_at(*annotations, "summary")));
}

Result<std::string> alert_list(std::string_view rules) {
  Diagnostics diagnostics;
  std::string items;
  (void)manifest::read_yaml(rules, std::make_shared<const std::string>("rules"), diagnostics, [&](Node&& document) {
    const Node* groups = document.find("groups");
    if (groups == nullptr) return;
    for (const Node& group : groups->items) {
      const Node* const list = group.find("rules");
      if (list == nullptr) continue;
      for (const Node& rule : list->items) items += alert_item(rule);
    }
  });
  if (items.empty()) return fail(ErrorCode::invalid, "these are no alerting rules");
  return ".Bl -tag -width Ds\n" + items + ".El\n";
}

std::string scraping() {
  constexpr std::string_view job =
      "scrape_configs:\n"
      "  - job_name: graftd\n"
      "    static_configs:\n"
      "      - targets: [\"127.0.0.1:9417\"]\n";
  return mdoc::section("SCRAPING") +
         mdoc::prose(
             "The daemon serves its metrics at `/metrics` of `http.listen`, without a token. Prometheus on the "
             "same machine asks with") +
         mdoc::literal(job) + ".Pp\n" +
         mdoc::prose(
             "For a Prometheus elsewhere the endpoint has to listen on an address that it reaches, with "
             "`http.tls` and `http.tokenFile`;") +
         ".Xr graftd.yaml 5\n" + mdoc::prose("tells how.");
}

}  // namespace

Result<std::string> manual_of_metrics(std::string_view rules) {
  Result<std::string> alerts = alert_list(rules);
  if (!alerts) return alerts;
  return mdoc::head({"graftd-metrics", "7"}, "metrics and alerts of graftd") + mdoc::section("DESCRIPTION") +
         ".Xr graftd 8\n" +
         mdoc::prose(
             "exposes what it does as metrics for Prometheus. The value of a label is one of the words listed, "
             "or comes from the manifests or the build: no answer of Grafana makes a new series. Times are "
             "seconds since 1970.") +
         metric_list() + scraping() + mdoc::section("ALERTING RULES") +
         mdoc::prose(
             "`/usr/share/graftd/prometheus/graftd.rules.yaml` holds alerting rules for a scrape job named "
             "`graftd`; each says what to do next.") +
         *alerts + mdoc::section("FILES") +
         ".Bl -tag -width Ds\n.It Pa /usr/share/graftd/prometheus/graftd.rules.yaml\n" +
         mdoc::prose("The alerting rules.") + ".It Pa /usr/share/graftd/grafana/graftd-dashboard.json\n" +
         mdoc::prose("A dashboard of these metrics.") + ".El\n" +
         mdoc::see_also({{"graftd-manifest", "5"}, {"graftd.yaml", "5"}, {"graftd", "8"}});
}

}  // namespace graft::daemon
