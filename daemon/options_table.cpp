// The tables of commands and flags.
#include <algorithm>
#include <array>

#include "daemon/options.hpp"

namespace graft::daemon {

namespace {

constexpr std::string_view slot = "ORGANIZATION/ACCOUNT/TOKEN";

constexpr std::array<Command, 12> commands{{
    {.name = "run",
     .purpose = "the daemon: keeps Grafana as declared until it is stopped",
     .details = "Compares at every interval and when the manifests change. SIGHUP reads configuration and manifests "
                "again; SIGTERM and SIGINT end it cleanly, a second one at once."},
    {.name = "plan",
     .purpose = "prints what would change, and why; changes nothing",
     .details = "Reads Grafana, the manifests, the token files and the state; of the state it writes nothing but a "
                "refused login, so that plans in a row cannot lock the user out of Grafana."},
    {.name = "apply",
     .purpose = "one cycle: makes Grafana as declared, and ends",
     .details = "Exit code 1 tells that a resource failed or was skipped; the rest was done."},
    {.name = "check",
     .operand = "PATH",
     .operand_type = Argument::path,
     .purpose = "checks manifests offline; no Grafana, no credentials",
     .details = "For CI and pre-commit. PATH is a directory of manifests, or one of them; without it, the "
                "manifests of the configuration. Every problem is printed with file, line and column.",
     .operands = &Options::paths},
    {.name = "tokens list",
     .purpose = "the tokens looked after: age, expiry, next rotation",
     .details = "Never a key. Reads the state directory alone, and asks neither Grafana nor the sinks."},
    {.name = "tokens rotate",
     .operand = slot,
     .operand_needed = true,
     .operand_type = Argument::text,
     .purpose = "replaces keys now, not only when they are due",
     .details = "A running graftd is told and does it at once; without one it is done here. The old key lives through "
                "its grace.",
     .operands = &Options::slots},
    {.name = "tokens verify",
     .operand = slot,
     .operand_type = Argument::text,
     .purpose = "asks Grafana whether the delivered keys are alive",
     .details = "All tokens when none is named. A running graftd is told and does it at once; without one it is done "
                "here.",
     .operands = &Options::slots},
    {.name = "status",
     .purpose = "how everything stands, asked of the running graftd",
     .details = "Asks over the Unix socket (http.socket). --watch shows it anew at every change; --probe prints "
                "nothing and exits 0 when graftd is alive, for health checks without a shell."},
    {.name = "history",
     .purpose = "what was changed, when, and why",
     .details = "Newest first, with cycle and revision of the manifests. Of the running graftd; without one, of the "
                "state directory."},
    {.name = "reload",
     .purpose = "tells the running graftd to read everything anew",
     .details = "Configuration, CA, credentials and manifests, all or nothing; then a cycle. With --wait it ends when "
                "that is done, and tells what was wrong."},
    {.name = "sync",
     .purpose = "tells the running graftd to begin a cycle now",
     .details = "With --wait it ends when the cycle has ended; exit code 1 when that left something undone."},
    {.name = "version", .settings = false, .purpose = "prints version, compiler and libraries", .details = ""},
}};

using Names = std::string_view;
constexpr std::array<Names, 2> outputs{"text", "json"};
constexpr std::array<Names, 1> whole{""}, plan{"plan"}, status{"status"}, history{"history"};
constexpr std::array<Names, 2> waiting{"reload", "sync"};
constexpr std::array<Names, 8> printing{"plan",          "apply",         "check",  "tokens list",
                                        "tokens rotate", "tokens verify", "status", "history"};

template <const char* name>
void filter(Options& options, const std::string& argument) {
  options.filters[name] = argument;
}
constexpr char kind_filter[] = "kind", organization_filter[] = "organization", name_filter[] = "name",
               limit_filter[] = "limit";

constexpr std::array<Flag, 11> flags{{
    {.name = "help",
     .letter = 'h',
     .help = "this text",
     .set = [](Options& options, const std::string&) { options.help = true; }},
    {.name = "version",
     .help = "prints version, compiler and libraries",
     .commands = whole,
     .set = [](Options& options, const std::string&) { options.version = true; }},
    {.name = "output",
     .letter = 'o',
     .argument = "text|json",
     .type = Argument::word,
     .words = outputs,
     .help = "the form of what is printed",
     .commands = printing,
     .set = [](Options& options,
               const std::string& form) { options.output = form == "json" ? Output::json : Output::text; }},
    {.name = "detailed-exitcode",
     .help = "exit code 2 when there is something to change or held",
     .commands = plan,
     .set = [](Options& options, const std::string&) { options.detailed_exitcode = true; }},
    {.name = "watch",
     .help = "shown anew at every change, until it is interrupted",
     .commands = status,
     .excludes = "probe",
     .set = [](Options& options, const std::string&) { options.watch = true; }},
    {.name = "probe",
     .help = "exit code 0 when graftd is alive, else 1",
     .commands = status,
     .excludes = "watch",
     .set = [](Options& options, const std::string&) { options.probe = true; }},
    {.name = "wait",
     .argument = "DURATION",
     .type = Argument::text,
     .help = "wait so long for the outcome, at most 5m",
     .commands = waiting,
     .set = [](Options& options, const std::string& duration) { options.wait = duration; }},
    {.name = "kind",
     .argument = "KIND",
     .type = Argument::kind,
     .help = "only of this kind",
     .commands = history,
     .set = filter<kind_filter>},
    {.name = "organization",
     .argument = "NAME",
     .type = Argument::text,
     .help = "only in this organization",
     .commands = history,
     .set = filter<organization_filter>},
    {.name = "name",
     .argument = "NAME",
     .type = Argument::text,
     .help = "only of this name",
     .commands = history,
     .set = filter<name_filter>},
    {.name = "limit",
     .argument = "NUMBER",
     .type = Argument::text,
     .help = "how many, from 1 to 1000 (100)",
     .commands = history,
     .set = filter<limit_filter>},
}};

}  // namespace

std::span<const Command> command_table() { return commands; }

std::span<const Flag> flag_table() { return flags; }

bool has_flag(std::string_view command, const Flag& flag) {
  return flag.commands.empty() || std::ranges::find(flag.commands, command) != flag.commands.end();
}

std::vector<std::string_view> command_groups() {
  std::vector<std::string_view> groups;
  for (const Command& command : commands) {
    const std::size_t space = command.name.find(' ');
    if (space == command.name.npos) continue;
    const std::string_view group = command.name.substr(0, space);
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  return groups;
}

}  // namespace graft::daemon
