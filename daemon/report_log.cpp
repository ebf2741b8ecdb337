#include "daemon/report_log.hpp"

#include <fmt/format.h>

#include "daemon/exit_codes.hpp"
#include "plan/render.hpp"

namespace graft::daemon {

void log_diagnostics(const Diagnostics& diagnostics, std::string_view message, Log& log) {
  for (const Diagnostic& item : diagnostics.items()) {
    const LogLevel level = item.severity == Severity::error     ? LogLevel::error
                           : item.severity == Severity::warning ? LogLevel::warning
                                                                : LogLevel::debug;
    std::vector<LogField> fields{{"at", item.at.to_string()}, {"problem", item.message}};
    if (!item.hint.empty()) fields.emplace_back("hint", item.hint);
    log.write(level, message, fields);
  }
}

void log_report(const reconcile::Report& report, Log& log) {
  if (report.manifests_rejected && !report.revision.empty())
    log.error("manifests rejected; the last good revision stays in force", {{"revision", report.revision}});
  if (report.stopped) {
    log.write(report.stopped->code == ErrorCode::cancelled ? LogLevel::info : LogLevel::error, "cycle stopped",
              {{"err", report.stopped->describe()}});
    return;
  }
  log.info("cycle done", {{"revision", report.revision},
                          {"in_sync", std::to_string(report.plan.in_sync)},
                          {"applied", std::to_string(report.count(reconcile::Outcome::done))},
                          {"failed", std::to_string(report.count(reconcile::Outcome::failed))},
                          {"skipped", std::to_string(report.count(reconcile::Outcome::skipped))},
                          {"requests", std::to_string(report.requests)},
                          {"ms", std::to_string(report.took.count())}});
}

int exit_code_of(const Error& stopped) {
  switch (stopped.code) {
    case ErrorCode::invalid:
      return exit_bad_manifests;
    case ErrorCode::unauthenticated:
    case ErrorCode::blocked:
    case ErrorCode::forbidden:
      return exit_refused;
    case ErrorCode::cancelled:
      return exit_not_converged;
    case ErrorCode::internal:
      return exit_bug;
    default:
      return exit_unavailable;
  }
}

int report_start_failure(const Error& error, Log& log) {
  log.error("graftd cannot start", {{"err", error.describe()}});
  switch (error.code) {
    case ErrorCode::invalid:
      return exit_bad_config;
    case ErrorCode::blocked:
      return exit_try_later;
    case ErrorCode::internal:
      return exit_bug;
    default:
      return exit_cannot_create;
  }
}

}  // namespace graft::daemon
