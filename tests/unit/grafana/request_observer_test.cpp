#include "grafana/request_observer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "grafana/api.hpp"
#include "http/fake_transport.hpp"
#include "support/run_coroutine.hpp"

using namespace graft;
using namespace graft::grafana;

namespace {

class NoMemory final : public LoginMemory {
 public:
  LoginRecord load(const std::string&) override { return {}; }
  void save(const std::string&, const LoginRecord&) override {}
  std::string salt() override { return "salt"; }
};

class Notes final : public RequestObserver {
 public:
  void began() override { lines.emplace_back("began"); }
  void ended(std::string_view method, std::string_view route, int status,
             std::chrono::steady_clock::duration took) override {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(took);
    lines.push_back(fmt::format("{} {} {} {}s", method, route, status, seconds.count()));
  }
  void retried(std::string_view reason) override { lines.push_back(fmt::format("retried {}", reason)); }
  void write_limit(std::size_t limit) override { last_limit = limit; }

  std::vector<std::string> lines;
  std::size_t last_limit = 0;
};

class Bench {
 public:
  Bench() {
    limits.retry_pause = std::chrono::milliseconds(1);
    Credential key;
    key.secret = Secret(std::string("glsa_x"));
    gate.use(std::move(key));
  }

  // One read of /api/orgs/7/users; every request takes two seconds, and each gets the next of the answers.
  std::vector<std::string> lines_of(std::vector<Result<http::Response>> answers) {
    std::size_t next = 0;
    http::FakeTransport transport([&](const http::Request&) {
      clock.advance(std::chrono::seconds(2));
      return answers.at(next++);
    });
    Api api(transport, gate, clock, null_log(), limits);
    api.observe(&notes);
    Call call("GET", "/api/orgs/7/users", "listing members");
    (void)test::run(api.send(std::move(call)));
    return std::exchange(notes.lines, {});
  }

  NoMemory memory;
  ManualClock clock;
  LoginGate gate{memory, clock, system_random(), null_log()};
  Limits limits;
  Notes notes;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a request is told with its route, status and time") {
  Bench bench;
  CHECK(bench.lines_of({http::respond(200, "[]")}) == Lines{"began", "GET /api/orgs/:orgId/users 200 2s"});
  CHECK(bench.lines_of({http::respond(404)}) == Lines{"began", "GET /api/orgs/:orgId/users 404 2s"});
}

TEST_CASE("each repetition is a request of its own, with the reason for it") {
  Bench bench;
  const std::string answered = "GET /api/orgs/:orgId/users ";
  CHECK(bench.lines_of({http::respond(429), http::respond(503), http::respond(200)}) ==
        Lines{"began", answered + "429 2s", "retried rate_limited", "began", answered + "503 2s", "retried unavailable",
              "began", answered + "200 2s"});
  const auto lost = [](ErrorCode code) -> Result<http::Response> { return fail(Error(code, "lost").retry()); };
  CHECK(bench.lines_of({lost(ErrorCode::timeout), lost(ErrorCode::unavailable), lost(ErrorCode::unavailable)}) ==
        Lines{"began", answered + "0 2s", "retried timeout", "began", answered + "0 2s", "retried no_answer", "began",
              answered + "0 2s"});
}

TEST_CASE("a request whose coroutine is thrown out ends for the observer too") {
  Bench bench;
  http::FakeTransport transport(
      [](const http::Request&) -> Result<http::Response> { throw std::runtime_error("cancelled"); });
  Api api(transport, bench.gate, bench.clock, null_log(), bench.limits);
  api.observe(&bench.notes);
  Call call("GET", "/api/org", "asking");
  CHECK_THROWS(test::run(api.send(std::move(call))));
  CHECK(bench.notes.lines == Lines{"began", "GET /api/org 0 0s"});
}

TEST_CASE("what the gate holds back is no request") {
  Bench bench;
  LoginGate shut(bench.memory, bench.clock, system_random(), null_log());
  http::FakeTransport transport([](const http::Request&) { return http::respond(200); });
  Api api(transport, shut, bench.clock, null_log(), bench.limits);
  api.observe(&bench.notes);
  Call call("GET", "/api/org", "asking");
  CHECK_FALSE(test::run(api.send(std::move(call))).has_value());
  CHECK(bench.notes.lines.empty());
}

TEST_CASE("the limit of writes is told at once and after trouble") {
  Bench bench;
  (void)bench.lines_of({http::respond(200)});
  CHECK(bench.notes.last_limit == 2);
  (void)bench.lines_of({http::respond(500)});
  CHECK(bench.notes.last_limit == 1);
}

TEST_CASE("without an observer requests are made as ever") {
  Bench bench;
  http::FakeTransport transport([](const http::Request&) { return http::respond(200); });
  Api api(transport, bench.gate, bench.clock, null_log(), bench.limits);
  Call call("GET", "/api/org", "asking");
  CHECK(test::run(api.send(std::move(call))).has_value());
}
