// Replies as bytes on the wire, framed and headed as Grafana does it.
#pragma once

#include <string>

#include "clock.hpp"
#include "message.hpp"

namespace graft::simulator {

struct Framing {
  bool head_only = false;  // the answer to HEAD
  bool keep_alive = true;
};

std::string wire_bytes(const Reply& reply, Time now, const Framing& framing);
bool wants_keep_alive(const Request& request);

}  // namespace graft::simulator
