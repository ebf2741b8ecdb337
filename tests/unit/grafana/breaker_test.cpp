#include "grafana/breaker.hpp"

#include <doctest/doctest.h>
#include <map>
#include <random>

#include "grafana/credential.hpp"

using namespace graft;
using namespace graft::grafana;
using std::chrono::seconds;

namespace {

const WallTime start{seconds{1'800'000'000}};

class MapMemory final : public LoginMemory {
 public:
  LoginRecord load(const std::string& fingerprint) override { return records[fingerprint]; }
  void save(const std::string& fingerprint, const LoginRecord& record) override { records[fingerprint] = record; }
  std::string salt() override { return "salt"; }
  std::map<std::string, LoginRecord> records;
};

class FixedRandom final : public Random {
 public:
  double unit() override { return 0.0; }
};

Credential login(const std::string& password) {
  Credential credential;
  credential.username = "admin";
  credential.secret = Secret(std::string(password));
  return credential;
}

// A gate with a memory that outlives it, and a clock that stands until it is moved.
class GateBench {
 public:
  MapMemory memory;
  ManualClock clock{start};
  FixedRandom random;
  LoginGate gate{memory, clock, random, null_log()};
};

}  // namespace

TEST_CASE("a credential without refusals may log in") { CHECK_FALSE(login_blocked_until({}, start, 0.0)); }

TEST_CASE("one refusal stops logins; when the next one is allowed depends on whether it has worked before") {
  const LoginRecord never = after_refusal({}, start);
  CHECK(login_blocked_until(never, start, 0.0) == start + seconds(360));
  CHECK(login_blocked_until(never, start, 0.999) == start + seconds(360 + 59));
  CHECK_FALSE(login_blocked_until(never, start + seconds(420), 0.999));

  const LoginRecord once = after_refusal(after_success({}, start - seconds(3600)), start);
  CHECK(login_blocked_until(once, start, 0.0) == start + seconds(60));
  CHECK_FALSE(login_blocked_until(once, start + seconds(60), 0.0));
}

TEST_CASE("a second refusal within five minutes is not tried again before Grafana has forgotten it") {
  LoginRecord record = after_refusal(after_success({}, start), start);
  record = after_refusal(record, start + seconds(60));
  CHECK(login_blocked_until(record, start + seconds(60), 0.0) == start + seconds(60 + 360));
}

TEST_CASE("a success clears the record") {
  const LoginRecord record = after_success(after_refusal({}, start), start + seconds(400));
  CHECK_FALSE(login_blocked_until(record, start + seconds(400), 0.0));
  CHECK(record.last_success == start + seconds(400));
}

TEST_CASE("a clock that was set back does not block for ever") {
  const LoginRecord record = after_refusal({}, start + seconds(86'400));
  const auto until = login_blocked_until(record, start, 0.0);
  REQUIRE(until);
  CHECK(*until <= start + seconds(360));
}

TEST_CASE("whatever happens, there are never more than two tries in any five minutes (T24)") {
  std::mt19937 chance(1);
  for (int run = 0; run < 200; ++run) {
    LoginRecord record = run % 2 == 0 ? LoginRecord{} : after_success({}, start - seconds(1));
    std::vector<WallTime> tries;
    for (WallTime now = start; now < start + seconds(7200); now += seconds(1 + chance() % 20)) {
      if (login_blocked_until(record, now, 0.0)) continue;
      tries.push_back(now);
      record = after_refusal(record, now);
    }
    for (std::size_t i = 2; i < tries.size(); ++i) CHECK(tries[i] - tries[i - 2] > seconds(300));
    CHECK(tries.size() > 10);
  }
}

TEST_CASE_FIXTURE(GateBench,
                  "the gate lets one probe through, shuts at a refusal, and remembers it for another process") {
  gate.use(login("wrong"));
  CHECK_FALSE(gate.pass(false));  // not proven to work: only the probe may try
  CHECK(gate.pass(true));
  gate.refused();
  CHECK_FALSE(gate.pass(true));
  CHECK(gate.pass(true).error().code == ErrorCode::blocked);
  LoginGate restarted(memory, clock, random, null_log());
  restarted.use(login("wrong"));
  CHECK_FALSE(restarted.pass(true));
  clock.advance(seconds(361));
  CHECK(restarted.pass(true));
}

TEST_CASE_FIXTURE(GateBench, "an answer to a request that was sent before a refusal does not open the gate again") {
  gate.use(login("right"));
  gate.proven(gate.pass(true)->epoch);
  const std::uint64_t sent_before = gate.pass(false)->epoch;
  gate.refused();  // of a request that was in flight beside it
  gate.proven(sent_before);
  CHECK_FALSE(gate.pass(false));
  CHECK_FALSE(gate.pass(true));
  CHECK(gate.blocked_until().has_value());
}

TEST_CASE_FIXTURE(GateBench, "a success does not wipe the refusals, since Grafana does not forget them either") {
  gate.use(login("right"));
  gate.proven(gate.pass(true)->epoch);
  // The probe works every time, and what comes after it is refused every time.
  int refusals = 0;
  std::vector<WallTime> at;
  for (int second = 0; second < 3'600; ++second) {
    clock.advance(seconds(1));
    const auto pass = gate.pass(true);
    if (!pass) continue;
    gate.proven(pass->epoch);
    gate.refused();
    at.push_back(clock.wall());
    ++refusals;
  }
  CHECK(refusals > 3);
  for (std::size_t i = 2; i < at.size(); ++i) CHECK(at[i] - at[i - 2] > seconds(300));
}

TEST_CASE_FIXTURE(
    GateBench,
    "several probes without an answer count as a refusal of a password that has never worked, and of no other") {
  gate.use(login("new"));
  gate.unanswered(gate.pass(true)->epoch);
  gate.unanswered(gate.pass(true)->epoch);
  REQUIRE(gate.pass(true));  // one or two lost answers are an accident
  gate.unanswered(gate.pass(true)->epoch);
  CHECK_FALSE(gate.pass(true));
  gate.use(login("known"));
  gate.proven(gate.pass(true)->epoch);
  LoginGate restarted(memory, clock, random, null_log());
  restarted.use(login("known"));
  for (int i = 0; i < 10; ++i) restarted.unanswered(restarted.pass(true)->epoch);
  CHECK(restarted.pass(true));
}

TEST_CASE_FIXTURE(GateBench, "what another graftd was refused counts at the next probe") {
  LoginGate daemon(memory, clock, random, null_log());
  daemon.use(login("wrong"));
  LoginGate plan(memory, clock, random, null_log());
  plan.use(login("wrong"));
  CHECK(plan.pass(true));
  plan.refused();
  CHECK_FALSE(daemon.pass(true));
}

TEST_CASE_FIXTURE(GateBench, "a changed password is another credential and is tried at once") {
  gate.use(login("wrong"));
  gate.refused();
  gate.use(login("right"));
  CHECK(gate.pass(true));
  gate.proven(gate.pass(true)->epoch);
  CHECK(gate.pass(false));
  gate.use(login("wrong"));
  CHECK_FALSE(gate.pass(true));
}

TEST_CASE_FIXTURE(GateBench, "a service-account key is never held back: Grafana locks no keys") {
  Credential key;
  key.secret = Secret(std::string("glsa_x"));
  gate.use(std::move(key));
  gate.refused();
  REQUIRE(gate.pass(false));
  CHECK(gate.pass(false)->authorization == "Bearer glsa_x");
}

TEST_CASE("no fingerprint tells the password, and each salt makes its own") {
  const Credential credential = login("hunter2");
  CHECK(credential.fingerprint("a") != credential.fingerprint("b"));
  CHECK(credential.fingerprint("a") == credential.fingerprint("a"));
  CHECK(credential.fingerprint("a").find("hunter2") == std::string::npos);
  CHECK(credential.authorization() == "Basic YWRtaW46aHVudGVyMg==");
}
