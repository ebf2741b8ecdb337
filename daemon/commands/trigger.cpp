// `graftd reload` and `graftd sync`: the running graftd is told, and, with --wait, its answer shown.
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/running.hpp"
#include "daemon/exit_codes.hpp"
#include "model/json_fields.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;

constexpr std::chrono::seconds longest_wait{300};
constexpr std::chrono::seconds margin{10};  // beyond what the other side waits

int show_reload(const admin::Reply& reply, const json& document) {
  if (reply.status == 200) {
    std::puts("reloaded");
    return exit_ok;
  }
  std::fprintf(stderr, "graftd: not reloaded; everything stays as it is: %s\n", text_of(document, "error").c_str());
  for (const json& problem : array_of(document, "problems"))
    if (problem.is_string()) std::fprintf(stderr, "%s\n", problem.get<std::string>().c_str());
  return reply.status == 422 ? exit_bad_config : exit_not_converged;
}

int show_sync(const admin::Reply& reply, const json& document) {
  const json* cycle = member(document, "cycle");
  if (reply.status != 200 || cycle == nullptr) {
    std::fprintf(stderr, "graftd: %s\n", text_of(document, "error").c_str());
    return exit_not_converged;
  }
  const std::string result = text_of(*cycle, "result");
  std::puts(fmt::format("cycle {}: {}, {} changed, {} failed, {} skipped", number_of(*cycle, "id"), result,
                        number_of(*cycle, "applied"), number_of(*cycle, "failed"), number_of(*cycle, "skipped"))
                .c_str());
  if (const std::string error = text_of(*cycle, "error"); !error.empty())
    std::fprintf(stderr, "graftd: %s\n", error.c_str());
  return result == "success" || result == "noop" ? exit_ok : exit_not_converged;
}

}  // namespace

int trigger_command(const Options& options, const ConfigSource& source) {
  const auto wait =
      options.wait ? parse_duration(*options.wait) : Result<std::chrono::seconds>(std::chrono::seconds(0));
  if (!wait || *wait > longest_wait) {
    std::fprintf(stderr, "graftd: --wait is a duration of at most 5m, such as 30s\n");
    return exit_usage;
  }
  const std::optional<Settings> known = settings_to_look(source);
  if (!known) return exit_bad_config;
  const Settings& settings = *known;
  const bool reload = options.command == "reload";
  admin::Call call{"POST", reload ? "/-/reload" : "/api/v1/sync", "{}", *wait + margin};
  if (options.wait) call.target += "?wait=" + url_encode(*options.wait);
  const Result<admin::Reply> reply = ask_running(settings, call);
  if (!reply) return complain_about(reply.error());
  if (reply->status == 202) {
    std::puts("accepted");
    return exit_ok;
  }
  const json document = json::parse(reply->body, nullptr, false);
  return reload ? show_reload(*reply, document) : show_sync(*reply, document);
}

}  // namespace graft::daemon
