#include "http/fake_transport.hpp"

#include <doctest/doctest.h>

#include "support/run_coroutine.hpp"

namespace graft::http {

TEST_CASE("a fake transport answers by its function and keeps the requests") {
  FakeTransport transport([](const Request& request) -> Result<Response> {
    if (request.target == "/lost") return fail(ErrorCode::ambiguous, "reply lost");
    return respond(200, request.body, {{"X-Org", "1"}});
  });
  Request first("POST", "/api/orgs");
  first.body = "{}";
  const auto answer = test::run(transport.exchange(std::move(first)));
  CHECK(answer.value().body == "{}");
  CHECK(answer.value().header("x-org") == "1");
  CHECK(test::run(transport.exchange(Request("GET", "/lost"))).error().code == ErrorCode::ambiguous);
  CHECK(transport.lines() == std::vector<std::string>{"POST /api/orgs", "GET /lost"});
  CHECK(transport.requests().front().body == "{}");
}

}  // namespace graft::http
