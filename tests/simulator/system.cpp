// Health, version and front-end settings.
#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "version.hpp"

namespace graft::simulator {

Reply health(Call&) {
  const std::string body = std::string("{\n  \"database\": \"ok\",\n  \"version\": \"") + grafana_version +
                           "\",\n  \"commit\": \"" + grafana_commit + "\"\n}";
  return {200, json_utf8, body, {}};
}

Reply healthz(Call&) { return text_reply(200, "Ok"); }

Reply alive(Call&) { return text_reply(200, "ok"); }

Reply kubernetes_version(Call& call) {
  const std::string version = grafana_version;
  return json_reply({{"major", "1"},
                     {"minor", "35"},
                     {"emulationMajor", "1"},
                     {"emulationMinor", "35"},
                     {"minCompatibilityMajor", "1"},
                     {"minCompatibilityMinor", "34"},
                     {"gitVersion", "1.35.0+grafana-v" + version},
                     {"gitCommit", std::string("main@") + grafana_commit},
                     {"gitTreeState", "grafana v" + version},
                     {"buildDate", rfc3339(call.world.clock.now())},
                     {"goVersion", "go1.26.0"},
                     {"compiler", "gc"},
                     {"platform", "linux/amd64"}});
}

// Far from all of Grafana's object: what a client of the API may want to know of the server.
Reply frontend_settings(Call& call) {
  const std::string version = grafana_version;
  return json_reply({{"buildInfo",
                      {{"hideVersion", false},
                       {"version", version},
                       {"versionString", "Grafana v" + version + " (" + grafana_commit + ")"},
                       {"commit", grafana_commit},
                       {"commitShort", std::string(grafana_commit).substr(0, 10)},
                       {"buildstamp", std::chrono::system_clock::to_time_t(call.world.clock.now())},
                       {"edition", "Open Source"},
                       {"env", "production"},
                       {"hasUpdate", false},
                       {"latestVersion", ""}}},
                     {"minRefreshInterval", call.world.settings.min_refresh_interval},
                     {"namespace", namespace_of_org(call.caller.org)},
                     {"anonymousEnabled", false},
                     {"appSubUrl", ""},
                     {"appUrl", "http://localhost:3000/"}});
}

}  // namespace graft::simulator
