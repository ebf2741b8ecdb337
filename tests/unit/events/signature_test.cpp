#include "events/signature.hpp"

#include <doctest/doctest.h>

#include "events/backoff.hpp"
#include "events/webhook_url.hpp"
#include "http/fake_transport.hpp"

namespace graft::events {

namespace {

using std::chrono::seconds;

WallTime at(std::int64_t second) { return WallTime{seconds{second}}; }

SigningKeys keys_of(const std::string& content) {
  auto keys = read_signing_keys(Secret(std::string(content)));
  REQUIRE_MESSAGE(keys, keys.error().describe());
  return std::move(*keys);
}

Result<http::Response> status(int number, http::Headers headers = {}) {
  return http::respond(number, "", std::move(headers));
}

}  // namespace

// Reckoned by `printf '1800000000.{"id":"x"}' | openssl dgst -sha256 -hmac 0123456789abcdef0123`.
TEST_CASE("the signature is the HMAC-SHA256 of timestamp, dot and body") {
  const SigningKeys keys = keys_of("0123456789abcdef0123\n");
  CHECK(signature_of(keys, at(1'800'000'000), R"({"id":"x"})") ==
        "v1=8175e07dda7d6319fbb3b254e39a27202de29f763faf0cb060255ef9756a18f2");
  CHECK(signature_of(keys, at(1'800'000'001), R"({"id":"x"})") !=
        signature_of(keys, at(1'800'000'000), R"({"id":"x"})"));
}

TEST_CASE("two secrets give two signatures, so that a receiver may know either") {
  const SigningKeys both = keys_of("new-secret-0123456789\r\n\nold-secret-0123456789");
  const std::string signature = signature_of(both, at(7), "body");
  CHECK(signature == signature_of(keys_of("new-secret-0123456789"), at(7), "body") + ", " +
                         signature_of(keys_of("old-secret-0123456789"), at(7), "body"));
}

TEST_CASE("a secret file that is no secret is refused without a word of it") {
  for (const std::string content :
       {"", "\n \n", "short-Canary", "0123456789abcdef\nshort-Canary",
        "Canary-1-0123456789\nCanary-2-0123456789\nCanary-3-0123456789", "Canary-0123456789\x01"}) {
    CAPTURE(content);
    const auto keys = read_signing_keys(Secret(std::string(content)));
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code == ErrorCode::invalid);
    CHECK(keys.error().describe().find("Canary") == std::string::npos);
    CHECK_FALSE(keys.error().hint.empty());
  }
}

TEST_CASE("the headers name event, delivery, time and signature") {
  state::Event event;
  event.uid = "d1";
  event.type = "failure";
  event.body = "{}";
  const SigningKeys keys = keys_of("0123456789abcdef0123");
  const http::Headers headers = headers_of(event, keys, at(5));
  CHECK(headers == http::Headers{{"Content-Type", "application/json"},
                                 {"X-Graftd-Event", "failure"},
                                 {"X-Graftd-Delivery", "d1"},
                                 {"X-Graftd-Timestamp", "5"},
                                 {"X-Graftd-Signature", signature_of(keys, at(5), "{}")}});
}

TEST_CASE("the URL of a webhook: what is accepted, and how it is taken apart") {
  struct Row {
    std::string url, origin, target;
  };
  for (const Row& row : std::vector<Row>{
           {"https://hooks.example", "https://hooks.example", "/"},
           {"https://hooks.example/", "https://hooks.example", "/"},
           {"http://127.0.0.1:8080/hook", "http://127.0.0.1:8080", "/hook"},
           {"http://[::1]:8080/a/b/", "http://[::1]:8080", "/a/b/"},
           {"https://hooks.example/a%2Fb", "https://hooks.example", "/a%2Fb"},
       }) {
    CAPTURE(row.url);
    const auto url = parse_webhook_url(row.url);
    REQUIRE(url);
    CHECK(url->origin == row.origin);
    CHECK(url->target == row.target);
  }
  for (const std::string refused :
       {"", "hooks.example/x", "ftp://hooks.example/", "file:///etc/passwd", "gopher://x/", "http://me:Canary@hooks/",
        "http://Canary@hooks/", "http://hooks/?token=x", "http://hooks/#x", "http://", "http:///x", "http://h:70000/",
        "http://hooks/a b", "http://hooks/a\r\nX: y"}) {
    CAPTURE(refused);
    const auto url = parse_webhook_url(refused);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == ErrorCode::invalid);
    CHECK(url.error().describe().find("Canary") == std::string::npos);
    CHECK(url.error().describe().find("grafana") == std::string::npos);
  }
}

TEST_CASE("answers of a receiver are judged by their status alone") {
  for (const int taken : {200, 201, 202, 204, 299}) CHECK(judge(status(taken)) == Answer::delivered);
  for (const int trouble : {408, 425, 429, 500, 502, 503, 504, 599}) CHECK(judge(status(trouble)) == Answer::trouble);
  for (const int wrong : {301, 302, 304, 307, 308, 401, 403, 404, 405, 410})
    CHECK(judge(status(wrong)) == Answer::wrong);
  for (const int unwanted : {400, 402, 406, 409, 411, 413, 415, 422, 451, 499})
    CHECK(judge(status(unwanted)) == Answer::unwanted);
  CHECK(judge(fail(ErrorCode::timeout, "slow")) == Answer::trouble);
}

TEST_CASE("waits double from five seconds to an hour, slower where a person must do something") {
  const Pace pace;
  const auto wait = [&](int number, int attempts, double chance = 0) {
    return wait_after(status(number), attempts, pace, at(0), chance).count();
  };
  CHECK(wait(500, 1) == 5);
  CHECK(wait(500, 2) == 10);
  CHECK(wait(500, 5) == 80);
  CHECK(wait(500, 11) == 3'600);
  CHECK(wait(500, 2'000'000'000) == 3'600);
  CHECK(wait(422, 1) == 60);
  CHECK(wait(404, 3) == 240);
  CHECK(wait(302, 100) == 3'600);
  CHECK(wait(410, 1) == 3'600);
  CHECK(wait(500, 11, 0.999) == 3'600 - 899);
  CHECK(wait_after(fail(ErrorCode::unavailable, "x"), 1, pace, at(0), 0).count() == 5);
}

TEST_CASE("Retry-After is obeyed, in seconds or as a date, up to six hours, and never shortens a wait") {
  const Pace pace;
  const WallTime now = *parse_rfc3339("2026-11-24T06:29:53Z");
  const auto wait = [&](const std::string& header, int number = 429, int attempts = 1) {
    return wait_after(status(number, {{"Retry-After", header}}), attempts, pace, now, 0.5).count();
  };
  CHECK(wait("120") == 120);
  CHECK(wait(" 120 ") == 120);
  CHECK(wait("Tue, 24 Nov 2026 06:31:53 GMT") == 120);
  CHECK(wait("Tue, 24 Nov 2026 06:00:00 GMT") == 5);
  CHECK(wait("1", 503, 11) == 3'600 - 450);
  CHECK(wait("7200", 410) == 7'200);
  CHECK(wait("999999999") == 6 * 3'600);
  for (const std::string nonsense : {"", "soon", "-5", "1e3", "99999999999999999999"}) CHECK(wait(nonsense) == 5);
}

}  // namespace graft::events
