// Asks a server the questions of a recording and compares the answers.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "recording.hpp"

namespace graft::conformance {

struct Server {
  std::string url, user, password;
  std::function<void(std::chrono::seconds)> wait;
  std::function<bool(const std::string& method, const std::string& target)> knows;  // false: the step is skipped
};

struct Outcome {
  int agreed = 0;
  int skipped = 0;
  std::vector<std::string> disagreements;   // "step: pointer: what"
  std::vector<std::string> skipped_routes;  // "step: METHOD path"
};

Outcome replay(const Recording& recording, const Server& server);

}  // namespace graft::conformance
