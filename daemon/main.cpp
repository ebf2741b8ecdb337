// graftd: reads the command line and hands over to a command. Everything that was not expected ends here, as exit
// code 70.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/options.hpp"
#include "git/child.hpp"
#include "kinds/decoders.hpp"
#include "manifest/loader.hpp"

namespace {

namespace state = graft::state;
using namespace graft::daemon;  // NOLINT(google-build-using-namespace): this file is nothing but the door to it

// Keys live in our memory: no core dump, no ptrace by others of our user (reliability T51).
void harden_process() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__  // whose leak check attaches to the process
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
  (void)std::signal(SIGPIPE, SIG_IGN);
}

int dispatch(const Options& options) {
  if (options.help) {
    std::fputs(help_text(options.command).c_str(), stdout);
    return exit_ok;
  }
  ConfigSource source;
  source.file = options.config;
  source.flags = options.settings;
  source.environment = process_environment();
  if (options.command == "run") return run_command(options, source);
  if (options.command == "plan") return plan_command(options, source);
  if (options.command == "apply") return apply_command(options, source);
  if (options.command == "check") return check_command(options, source);
  if (options.command == "tokens list") return tokens_list_command(options, source);
  if (options.command == "tokens rotate") return tokens_request_command(options, source, state::Request::Kind::rotate);
  if (options.command == "tokens verify") return tokens_request_command(options, source, state::Request::Kind::verify);
  if (options.command == "status") return status_command(options, source);
  if (options.command == "history") return history_command(options, source);
  if (options.command == "reload" || options.command == "sync") return trigger_command(options, source);
  return version_command();
}

}  // namespace

int main(int argc, char** argv) {
  harden_process();
  try {
    // Not a command: graftd starts itself so, and nobody else does.
    if (argc == 2 && std::string_view(argv[1]) == graft::git::child_argument)
      return graft::git::child_main([](const graft::source::Content& content) {
        const auto files = graft::source::make_memory_files({}, "candidate", content);
        return graft::manifest::load(*files, graft::kinds::all_decoders()).state != nullptr;
      });
    const graft::Result<Options> options = parse_command_line(argc, argv);
    if (!options) {
      std::fprintf(stderr, "graftd: %s\n", options.error().describe().c_str());
      return exit_usage;
    }
    return dispatch(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "graftd: a bug in graftd: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "graftd: a bug in graftd\n");
  }
  return exit_bug;
}
