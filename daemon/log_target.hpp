// Who reads the log: the journal, a person at a terminal, or something that takes lines.
#pragma once

#include <string>

namespace graft::daemon {

// What the environment says about it.
struct LogEnvironment {
  std::string journal_stream;  // JOURNAL_STREAM: "device:inode" of the journal's end, set by systemd
  std::string term;            // TERM
  bool no_color = false;       // NO_COLOR is there and not empty (no-color.org): no colours, all else the same
};

[[nodiscard]] LogEnvironment log_environment();  // of this process; reads getenv()

struct LogTarget {
  enum class Kind { lines, journal, terminal };
  Kind kind = Kind::lines;
  bool colour = false;
};

// Asks the operating system about `descriptor`. JOURNAL_STREAM alone says nothing: a child inherits it even when its
// standard error leads elsewhere.
[[nodiscard]] LogTarget log_target(int descriptor, const LogEnvironment& environment);

// Columns; 80 when the terminal does not say.
[[nodiscard]] std::size_t terminal_width(int descriptor);

}  // namespace graft::daemon
