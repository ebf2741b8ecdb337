// kill -9 after each single request of the cold run, then a new start: always the same end (T01).
#include <atomic>
#include <doctest/doctest.h>
#include <signal.h>

#include "e2e/graftd.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::uint64_t requests_of_cold_run() {
  Graftd graftd;
  REQUIRE(graftd.run("apply") == 0);
  return graftd.simulator.requests().size();
}

}  // namespace

TEST_CASE("killed after any request of the cold run: converged, the key alive, one token, one account") {
  const std::uint64_t requests = requests_of_cold_run();
  REQUIRE(requests > 10);
  MESSAGE("kill points: ", requests);
  for (std::uint64_t k = 1; k <= requests; ++k) {
    CAPTURE(k);
    Graftd graftd;
    std::atomic<pid_t> victim{0};
    std::atomic<bool> killed{false};
    graftd.simulator.on_request([&](const simulator::RequestRecord& request) {
      if (request.number != k || killed) return;
      while (victim == 0) std::this_thread::yield();
      ::kill(victim, SIGKILL);
      killed = true;
    });
    auto process = graftd.start({"apply"});
    victim = process->pid();
    CHECK(process->wait() == 128 + SIGKILL);
    graftd.simulator.on_request({});

    int code = 1;
    for (int cycle = 0; cycle < 3 && code != 0; ++cycle) {
      code = graftd.run("apply");
      if (code != 0) graftd.simulator.advance(std::chrono::seconds(61));  // an orphan's minute
    }
    CHECK(code == 0);
    CHECK(graftd.key_status() == 200);
    CHECK(graftd.tokens() == 1);
    CHECK(graftd.accounts() == 1);
    graftd.simulator.clear_requests();
    CHECK(graftd.start({"plan", "--detailed-exitcode"})->wait() == 0);
    CHECK(graftd.simulator.write_count() == 0);
  }
}
