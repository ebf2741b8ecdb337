// From a request to its reply: who calls, which row of the table serves it, whether the caller may, what if none does.
#pragma once

#include <string>

#include "routes.hpp"

namespace graft::simulator {

struct Answer {
  Reply reply;
  std::string route;  // the pattern, or ""
  std::string user;   // login, "key", or ""
};

Answer answer(World& world, const Request& request, bool apis);

}  // namespace graft::simulator
