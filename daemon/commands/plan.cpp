#include <cstdio>
#include <unistd.h>

#include "daemon/commands/commands.hpp"
#include "daemon/commands/one_cycle.hpp"
#include "daemon/exit_codes.hpp"
#include "plan/render.hpp"

namespace graft::daemon {

int plan_command(const Options& options, const ConfigSource& source) {
  const auto show = [&](const reconcile::Report& report) {
    const auto colour = ::isatty(STDOUT_FILENO) != 0 ? plan::Colour::yes : plan::Colour::no;
    const std::string text =
        options.output == Output::json ? plan::render_json(report.plan) : plan::render_text(report.plan, colour);
    std::fputs(text.c_str(), stdout);
    const plan::Counts counts = report.plan.counts();
    if (counts.blocked + counts.unread > 0) return static_cast<int>(exit_not_converged);
    if (options.detailed_exitcode && !counts.nothing_to_do()) return static_cast<int>(exit_changes);
    return static_cast<int>(exit_ok);
  };
  return one_cycle(source, reconcile::Mode::plan, show);
}

}  // namespace graft::daemon
