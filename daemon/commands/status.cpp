// `graftd status`: how everything stands, asked of the running graftd.
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/text.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/running.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/front.hpp"
#include "model/json_fields.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;

constexpr std::size_t organizations_shown = 20;

std::optional<WallTime> time_at(const json& object, std::string_view name) {
  return parse_rfc3339(text_of(object, name));
}

std::string ago(const std::optional<WallTime>& time, WallTime now) {
  return time ? rough(std::max(now - *time, std::chrono::seconds(0))) + " ago" : "never";
}

std::string counts_text(const json& counts) {
  std::string out;
  for (const auto& [state, count] : counts.items()) {
    if (!count.is_number_integer() || count.get<std::int64_t>() == 0) continue;
    std::string words = state;
    std::ranges::replace(words, '_', ' ');
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count.get<std::int64_t>(), words);
  }
  return out.empty() ? "nothing is declared" : out;
}

void append_cycle(std::string& out, const json& status, WallTime now) {
  const json& progress = status.at("cycle");
  if (progress.is_object()) {
    out += fmt::format("now:       cycle {}, {} {}/{}", number_of(progress, "id"), text_of(progress, "stage"),
                       number_of(progress, "done"), number_of(progress, "total"));
    if (const auto left = number_at(progress, "remainingSeconds"))
      out += ", about " + rough(std::chrono::seconds(*left)) + " left";
    out += "\n";
  }
  const json& cycles = array_of(status, "cycles");
  if (!cycles.empty()) {
    const json& last = cycles.back();
    out += fmt::format("last:      cycle {} {}: {}, {} changed, {} failed, {} skipped, {} request(s)\n",
                       number_of(last, "id"), ago(time_at(last, "startedAt"), now), text_of(last, "result"),
                       number_of(last, "applied"), number_of(last, "failed"), number_of(last, "skipped"),
                       number_of(last, "requests"));
  }
  if (const auto next = time_at(status, "nextCycleAt"); next && !progress.is_object())
    out += fmt::format("next:      {}\n", *next > now ? "in " + rough(*next - now) : "now");
}

void append_organizations(std::string& out, const json& organizations) {
  std::size_t shown = 0;
  for (const json& one : organizations) {
    const json& counts = one.at("counts");
    const bool wrong = std::ranges::any_of(
        counts.items(), [](const auto& item) { return item.key() != "in_sync" && item.value() != 0; });
    if (!wrong || ++shown > organizations_shown) continue;
    out += fmt::format("  {}: {}\n", printable(text_of(one, "name")), counts_text(counts));
  }
  if (shown > organizations_shown) out += fmt::format("  … and {} more\n", shown - organizations_shown);
}

void append_problems(std::string& out, const json& status, WallTime now) {
  const json& problems = array_of(status, "problems");
  if (problems.empty()) return;
  out += "\n";
  constexpr std::size_t longest = 2'000;
  for (const json& problem : problems) {
    const std::string subject = text_of(problem, "resource");
    out += fmt::format("! {}: {}\n", subject.empty() ? text_of(problem, "about") : subject,
                       printable(text_of(problem, "message"), longest));
    const std::string at = text_of(problem, "at"), hint = text_of(problem, "hint");
    if (!at.empty()) out += "    at    " + at + "\n";
    if (!hint.empty()) out += "    do    " + printable(hint, longest) + "\n";
    out += "    since " + ago(time_at(problem, "since"), now) + "\n";
  }
  if (const auto more = number_of(status, "problemsLeftOut"); more > 0) out += fmt::format("… and {} more\n", more);
}

std::string as_text(const json& status) {
  const WallTime now = time_at(status, "now").value_or(system_clock().wall());
  const json &graftd = status.at("graftd"), &revision = status.at("revision"), &tokens = status.at("tokens");
  std::string out = fmt::format("{}: {}, since {}\n", text_of(status, "state"),
                                printable(text_of(status, "headline"), 1'000), ago(time_at(status, "since"), now));
  out += fmt::format("graftd:    {} {}, running for {}\n", text_of(graftd, "version"), text_of(graftd, "owner"),
                     rough(std::max(now - time_at(graftd, "startedAt").value_or(now), std::chrono::seconds(0))));
  out += fmt::format("grafana:   {}\n", text_of(status.at("grafana"), "url"));
  const std::string applied = text_of(revision, "applied");
  out += fmt::format("manifests: {}{}\n", applied.empty() ? "none yet" : "revision " + applied,
                     graft::flag_of(revision, "rejected") ? "; newer ones have errors and are rejected" : "");
  append_cycle(out, status, now);
  out += fmt::format("tokens:    {} in use, {} due, {} expired, {} with a problem\n", number_of(tokens, "in_use"),
                     number_of(tokens, "due"), number_of(tokens, "expired"), number_of(tokens, "problem"));
  out += fmt::format("resources: {}{}\n", counts_text(status.at("counts")),
                     text_of(status, "state") == "stopped" ? ", when they were last seen" : "");
  append_organizations(out, array_of(status, "organizations"));
  append_problems(out, status, now);
  return out;
}

constexpr int one_line = -1, readable = 2;

int show(const Settings& settings, Output output, int indent) {
  const Result<json> status = fetch_document(settings, "/api/v1/status");
  if (!status) return complain_about(status.error());
  std::fputs(output == Output::json ? (status->dump(indent, ' ', false, json::error_handler_t::replace) + "\n").c_str()
                                    : as_text(*status).c_str(),
             stdout);
  std::fflush(stdout);
  const std::string state = text_of(*status, "state");
  return state == "converged" || state == "changing" ? exit_ok : exit_not_converged;
}

// On a terminal in place; else one after the other, which a program can read (-o json: one document a line).
int watch(const Settings& settings, Output output) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && output == Output::text;
  const auto draw = [&] {
    if (terminal) std::fputs("\x1b[H\x1b[2J", stdout);
    return show(settings, output, one_line);
  };
  const int first = draw();
  if (first == exit_unavailable || first == exit_refused) return first;
  const Status followed =
      admin::follow(socket_path(settings), "/api/v1/events", [&](const admin::StreamedEvent& event) {
        if (event.name == "change") return true;  // a status follows
        const int code = draw();
        return code != exit_unavailable;
      });
  return followed ? static_cast<int>(exit_unavailable) : complain_about(followed.error());
}

int probe(const Settings& settings) {
  const Result<admin::Reply> reply = ask_running(settings, {"GET", "/-/healthy", {}, std::chrono::seconds(5)});
  if (!reply) {
    (void)complain_about(reply.error());
    return exit_not_converged;
  }
  if (reply->status == 200) return exit_ok;
  std::fprintf(stderr, "graftd: not alive: %s", reply->body.c_str());
  return exit_not_converged;
}

}  // namespace

int status_command(const Options& options, const ConfigSource& source) {
  const std::optional<Settings> known = settings_to_look(source);
  if (!known) return exit_bad_config;
  const Settings& settings = *known;
  if (options.probe) return probe(settings);
  return options.watch ? watch(settings, options.output) : show(settings, options.output, readable);
}

}  // namespace graft::daemon
