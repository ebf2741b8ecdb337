// What the connections of one server share: settings, routes, who is connected. One thread.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "admin/broadcast.hpp"
#include "admin/policy.hpp"
#include "admin/server.hpp"
#include "base/clock.hpp"

namespace graft::admin {

class Session;

enum class Channel : std::uint8_t { tcp, local };  // local: the Unix socket, which is trusted

struct Core {
  Core(ServerSettings given, std::vector<Route> all, Broadcast& broadcast, Server::Counted count, Log& to)
      : settings(std::move(given)),
        routes(std::move(all)),
        hosts(settings.hosts),
        events(broadcast),
        counted(std::move(count)),
        log(to) {}

  ServerSettings settings;
  std::vector<Route> routes;
  AllowedHosts hosts;
  Broadcast& events;
  Server::Counted counted;
  Log& log;
  std::list<Session*> connections, streams;  // a session enters itself, and leaves when it is closed
  bool stopped = false;
  SteadyTime token_complaint{}, accept_complaint{};  // when last logged: strangers must not be able to fill the log
};

}  // namespace graft::admin
