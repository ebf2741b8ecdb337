#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "daemon/commands/commands.hpp"
#include "daemon/commands/one_cycle.hpp"
#include "daemon/exit_codes.hpp"
#include "plan/render.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;
using reconcile::Outcome;

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::failed:
      return "failed";
    case Outcome::skipped:
      return "skipped";
  }
  return "failed";
}

std::string summary(const reconcile::Report& report) {
  return fmt::format("{} applied, {} failed, {} skipped, {} were as declared; {} requests\n",
                     report.count(Outcome::done), report.count(Outcome::failed), report.count(Outcome::skipped),
                     report.plan.in_sync, report.requests);
}

std::string as_text(const reconcile::Report& report) {
  const auto colour = ::isatty(STDOUT_FILENO) != 0 ? plan::Colour::yes : plan::Colour::no;
  return plan::render_text(report.plan, colour) + summary(report);
}

std::string as_json(const reconcile::Report& report) {
  json document = json::parse(plan::render_json(report.plan));
  json results = json::array();
  for (const reconcile::ActionResult& result : report.results)
    results.push_back({{"kind", result.key.kind.text()},
                       {"organization", result.key.organization},
                       {"name", result.key.name},
                       {"action", to_string(result.verb)},
                       {"outcome", word(result.outcome)},
                       {"error", result.outcome == Outcome::done ? "" : result.error.describe()}});
  document["results"] = std::move(results);
  document["revision"] = report.revision;
  document["requests"] = report.requests;
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

int apply_command(const Options& options, const ConfigSource& source) {
  const auto show = [&](const reconcile::Report& report) {
    std::fputs((options.output == Output::json ? as_json(report) : as_text(report)).c_str(), stdout);
    return static_cast<int>(report.converged() ? exit_ok : exit_not_converged);
  };
  return one_cycle(source, reconcile::Mode::apply, show);
}

}  // namespace graft::daemon
