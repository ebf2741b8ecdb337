// A slot before a key is issued, or before it is rotated, and what must be true of it after whatever befell graftd.
#pragma once

#include <chrono>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>

#include "world/world.hpp"

namespace graft::test {

struct Story {
  const char* name;
  bool rotation;  // a key is in use already, and another one is asked for
};
inline const Story stories[]{{"issue", false}, {"rotation", true}};

class Stage {
 public:
  explicit Stage(const Story& story) : rotation_(story.rotation) {
    world.settings.minimum_grace = std::chrono::seconds(60);
    world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d, grace: 60s"));
    if (!rotation_) return;
    REQUIRE(world.apply().converged());
    world.restart();
    (void)world.ask(state::Request::Kind::rotate);
  }

  // What graftd apply does, in the child.
  [[nodiscard]] std::function<int()> work() {
    return [this] { return world.apply().converged() ? 0 : 1; };
  }

  void check_right_after() {
    if (rotation_) CHECK(world.key_status(world.key_file()) == 200);
  }

  void check_recovery() {
    bool converged = false;
    for (int cycle = 0; cycle < 4 && !converged; ++cycle) {
      converged = world.apply().converged();
      check_right_after();
      if (!converged) world.pass(std::chrono::seconds(61));  // an orphan's minute
    }
    CHECK(converged);
    const std::string key = world.key_file();
    CHECK(world.key_status(key) == 200);
    CHECK(world.tokens().size() <= 4);         // each crash may leave one
    for (int cycle = 0; cycle < 2; ++cycle) {  // the grace, and what a changed sink adds to it
      world.pass(std::chrono::seconds(61));
      CHECK(world.apply().converged());
    }
    CHECK(world.tokens().size() == 1);
    CHECK(world.key_status(world.key_file()) == 200);
    CHECK(world.key_file() == key);
  }

  World world;

 private:
  bool rotation_;
};

}  // namespace graft::test
