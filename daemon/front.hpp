// The side of the daemon that others look at: the HTTP endpoint, in a thread of its own, so that it answers while the
// loop is busy and can say when the loop hangs.
#pragma once

#include <memory>
#include <string>

#include "admin/broadcast.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "daemon/routes.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

class Front {
 public:
  // Binds, and begins to answer. Errors: invalid (a setting), io (an address in use, a socket that cannot be made).
  // `parts` and `events` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Front>> start(const Settings& settings, const RouteParts& parts,
                                                            admin::Broadcast& events, Log& log);
  ~Front();  // closes everything and waits for the thread

  [[nodiscard]] std::string address() const;        // "http://127.0.0.1:9417/"; "" without TCP
  [[nodiscard]] const std::string& socket() const;  // "" without one

 private:
  struct Impl;
  explicit Front(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What the settings mean: the path of the Unix socket, or "" when there is to be none.
[[nodiscard]] std::string socket_path(const Settings& settings);

}  // namespace graft::daemon
