// The file sink: the key alone in a file (0600 by default) under the token directory, its marker in `.<name>.graftd`
// beside it (0600).
//
// put(): marker first (temp, fsync, rename, fsync directory), then the key the same way. Temp files are made with
// O_EXCL|O_NOFOLLOW|O_CLOEXEC in the target's folder, get owner and mode on the descriptor before any content, and
// never survive a failure. A leftover temp file of a crash is removed by the next probe. Links, FIFOs, directories in
// the place of a file are refused, never followed (reliability T52).
#pragma once

#include <memory>
#include <string>

#include "sink/sink.hpp"

namespace graft::sink {

struct FileTarget {
  std::string directory;     // tokens.directory; made with 0711 when missing
  std::string path;          // below it, as declared: "apiorg/test-token"; folders between are made with 0711
  std::string owner, group;  // names; empty: our own
  unsigned mode = 0600;
};

[[nodiscard]] std::unique_ptr<BlockingSink> make_file_sink(FileTarget target);

}  // namespace graft::sink
