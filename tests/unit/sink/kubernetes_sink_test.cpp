#include "sink/kubernetes_sink.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "doubles/kubernetes_api.hpp"
#include "sink/marker.hpp"
#include "support/temporary_directory.hpp"
#include "unit/sink/keys.hpp"

namespace graft::sink {

using namespace testing;

namespace {

const std::string annotation = "graftd/marker.token";

// One Secret, monitoring/apiorg-token, and a sink for its key `token`.
class Bench {
 public:
  Bench() : transport(api.handler()), sink(make("token")) {}
  std::unique_ptr<Sink> make(const std::string& key_name) {
    return make_kubernetes_sink({"monitoring", "apiorg-token", key_name}, KubernetesAccess(transport, token_file));
  }
  std::optional<std::string> data(const std::string& name = "token") const {
    return api.data("monitoring", "apiorg-token", name);
  }
  void set(const std::string& name, const std::string& value) {
    api.set_data("monitoring", "apiorg-token", name, value);
  }

  std::string token_file;
  doubles::KubernetesApi api;
  http::FakeTransport transport;
  std::unique_ptr<Sink> sink;
};

}  // namespace

TEST_CASE("a Secret that is not there is made, with key, marker and label together, and read back") {
  Bench bench;
  CHECK(bench.sink->describe() == "secret monitoring/apiorg-token/token");
  const Reading before = must_read(*bench.sink);
  CHECK(before.state == KeyState::missing);
  CHECK(before.identity.empty());
  must_put(*bench.sink, 1);
  CHECK(bench.data() == key_text(1));
  const auto secret = nlohmann::json::parse(bench.api.secret("monitoring", "apiorg-token"));
  CHECK(secret["type"] == "Opaque");
  CHECK(secret["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "graftd");
  CHECK(secret["data"].size() == 1);
  const std::string text = bench.api.annotation("monitoring", "apiorg-token", annotation).value();
  CHECK(text.find('\n') == std::string::npos);
  CHECK(read_marker(text)->entries == marker(1).entries);
  const Reading after = must_read(*bench.sink);
  CHECK(after.state == KeyState::present);
  CHECK(after.key.reveal() == key_text(1));
  CHECK(after.fingerprint == marker(1).entries.front().fingerprint);
  CHECK(after.identity ==
        secret["metadata"]["uid"].get<std::string>() + ":" + secret["metadata"]["resourceVersion"].get<std::string>());
  CHECK(bench.transport.lines() == std::vector<std::string>{"GET /api/v1/namespaces/monitoring/secrets/apiorg-token",
                                                            "POST /api/v1/namespaces/monitoring/secrets",
                                                            "GET /api/v1/namespaces/monitoring/secrets/apiorg-token"});
}

TEST_CASE("a rotation changes the key and its marker, and nothing else of the Secret") {
  Bench bench;
  bench.set("ca.crt", "certificate");
  bench.api.set_annotation("monitoring", "apiorg-token", "team/owner", "ops");
  must_read(*bench.sink);
  must_put(*bench.sink, 1);
  must_put(*bench.sink, 2);  // a put() carries on from the one before it
  CHECK(bench.data() == key_text(2));
  CHECK(bench.data("ca.crt") == "certificate");
  CHECK(bench.api.annotation("monitoring", "apiorg-token", "team/owner") == "ops");
  CHECK(must_read(*bench.sink).marker->entries == marker(2).entries);
  const auto& patch = bench.transport.requests()[1];
  CHECK(patch.method == "PATCH");
  CHECK_FALSE(patch.idempotent);
  const auto body = nlohmann::json::parse(patch.body);
  CHECK(body["data"].size() == 1);
  CHECK(body["metadata"].size() == 2);
}

TEST_CASE("two tokens share a Secret under two keys, each with its own marker") {
  Bench bench;
  const auto other = bench.make("other");
  must_read(*bench.sink);
  must_put(*bench.sink, 1);
  CHECK(must_read(*other).state == KeyState::missing);
  CHECK_FALSE(must_read(*other).marker);
  must_put(*other, 2);
  CHECK(must_read(*bench.sink).key.reveal() == key_text(1));
  CHECK(must_read(*bench.sink).marker->entries == marker(1).entries);
  CHECK(must_read(*other).marker->entries == marker(2).entries);
}

TEST_CASE("what somebody else writes between read and put is never overwritten") {
  struct Row {
    std::string what;
    bool there_before;
    std::function<void(Bench&)> event;
  };
  const std::vector<Row> rows{
      {"the same key", true, [](Bench& bench) { bench.set("token", key_text(7)); }},
      {"another key", true, [](Bench& bench) { bench.set("x", "y"); }},
      {"an annotation", true, [](Bench& bench) { bench.api.set_annotation("monitoring", "apiorg-token", "a", "b"); }},
      {"the Secret is deleted", true, [](Bench& bench) { bench.api.remove("monitoring", "apiorg-token"); }},
      {"the Secret is deleted and made anew", true,
       [](Bench& bench) {
         bench.api.remove("monitoring", "apiorg-token");
         bench.set("token", key_text(7));
       }},
      {"the Secret is made", false, [](Bench& bench) { bench.set("token", key_text(7)); }},
      {"the Secret is made with another key", false, [](Bench& bench) { bench.set("x", "y"); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    if (row.there_before) bench.set("token", key_text(1));
    must_read(*bench.sink);
    row.event(bench);
    const std::string secret = bench.api.secret("monitoring", "apiorg-token");
    const Status status = put(*bench.sink, 2);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::conflict);
    CHECK(status.error().retryable);
    CHECK(bench.api.secret("monitoring", "apiorg-token") == secret);
    must_read(*bench.sink);
    must_put(*bench.sink, 2);
    CHECK(bench.data() == key_text(2));
  }
}

TEST_CASE("content of somebody else is not overwritten, and no request is made to try") {
  for (const std::string value : {"a password", "", "glsa_cut"}) {
    CAPTURE(value);
    Bench bench;
    bench.set("token", value);
    CHECK(must_read(*bench.sink).state == KeyState::malformed);
    bench.transport.forget_requests();
    for (const Status& status : {put(*bench.sink, 1), run(bench.sink->probe())}) {
      REQUIRE_FALSE(status);
      CHECK(status.error().code == ErrorCode::conflict);
      CHECK_FALSE(status.error().retryable);
      CHECK_FALSE(status.error().hint.empty());
    }
    CHECK(bench.transport.requests().empty());
    CHECK(bench.data() == value);
  }
  Bench bench;  // with our marker a cut key is ours to mend, and a whole one is anybody's
  bench.set("token", "glsa_cut");
  bench.api.set_annotation("monitoring", "apiorg-token", annotation, write_marker(marker(1)));
  CHECK(must_read(*bench.sink).marker);
  must_put(*bench.sink, 2);
  Bench handmade;
  handmade.set("token", key_text(9));
  CHECK(must_read(*handmade.sink).state == KeyState::present);
  must_put(*handmade.sink, 2);
  CHECK(handmade.data() == key_text(2));
}

TEST_CASE("an immutable Secret is refused before anything is sent") {
  Bench bench;
  bench.set("token", key_text(1));
  bench.api.set_immutable("monitoring", "apiorg-token");
  CHECK(must_read(*bench.sink).state == KeyState::present);
  bench.transport.forget_requests();
  for (const Status& status : {put(*bench.sink, 2), run(bench.sink->probe())}) {
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::blocked);
    CHECK(status.error().message.find("immutable") != std::string::npos);
  }
  CHECK(bench.transport.requests().empty());
}

TEST_CASE("a probe asks for all that a put needs, and changes nothing") {
  Bench bench;
  REQUIRE(run(bench.sink->probe()));  // reads first by itself
  CHECK(bench.api.secret("monitoring", "apiorg-token").empty());
  bench.set("ca.crt", "x");
  const std::string secret = bench.api.secret("monitoring", "apiorg-token");
  must_read(*bench.sink);
  REQUIRE(run(bench.sink->probe()));
  CHECK(bench.api.secret("monitoring", "apiorg-token") == secret);
  CHECK(bench.transport.lines() ==
        std::vector<std::string>{"GET /api/v1/namespaces/monitoring/secrets/apiorg-token",
                                 "POST /api/v1/namespaces/monitoring/secrets?dryRun=All",
                                 "GET /api/v1/namespaces/monitoring/secrets/apiorg-token",
                                 "PATCH /api/v1/namespaces/monitoring/secrets/apiorg-token?dryRun=All"});
  must_put(*bench.sink, 1);  // from what was read, not from what the dry run answered
  CHECK(bench.data() == key_text(1));
}

TEST_CASE("a probe finds out what would fail, and says what to do") {
  struct Row {
    std::function<void(Bench&)> event;
    ErrorCode code;
    std::string hint;
  };
  const std::vector<Row> rows{
      {[](Bench& bench) { bench.api.forbid("create"); }, ErrorCode::forbidden, "verbs [get, create, patch]"},
      {[](Bench& bench) {
         bench.set("x", "y");
         bench.api.forbid("patch");
       },
       ErrorCode::forbidden, "resourceNames [apiorg-token]"},
      {[](Bench& bench) { bench.api.forbid("get"); }, ErrorCode::forbidden, "needs a Role in namespace \"monitoring\""},
      {[](Bench& bench) { bench.api.remove_namespace("monitoring"); }, ErrorCode::not_found, "does the namespace"},
      {[](Bench& bench) { bench.api.reach_quota(); }, ErrorCode::forbidden, "quota"},
      {[](Bench& bench) { bench.api.require_token("t"); }, ErrorCode::unauthenticated, "kubernetes.tokenFile"},
  };
  for (const Row& row : rows) {
    Bench bench;
    row.event(bench);
    const Status status = run(bench.sink->probe());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == row.code);
    CHECK_MESSAGE(status.error().hint.find(row.hint) != std::string::npos, status.error().describe());
    CHECK(status.error().message.find("secret monitoring/apiorg-token/token") != std::string::npos);
    CHECK_FALSE(status.error().server_text.empty());
    CHECK_FALSE(status.error().server_code.empty());
  }
}

TEST_CASE("only the API server's own word says that a Secret is missing; all else is an error") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
    bool retryable = false;
  };
  const std::string metadata = R"("metadata":{"uid":"u","resourceVersion":"1"})";
  const std::vector<Row> rows{
      {404, "<html>not here</html>", ErrorCode::not_found},
      {404, "", ErrorCode::not_found},
      {404, R"({"kind":"Status","reason":"NoSuchThing","message":"m"})", ErrorCode::not_found},
      {404, R"({"reason":"NotFound"})", ErrorCode::not_found},
      {200, "<html>sign in</html>", ErrorCode::protocol},
      {200, "", ErrorCode::protocol},
      {200, "{}", ErrorCode::protocol},
      {200, "[]", ErrorCode::protocol},
      {200, R"({"kind":"Secret",)" + metadata + R"(,"data":{"token":")", ErrorCode::protocol},
      {200, R"({"kind":"Secret",)" + metadata + R"(,"data":{"token":5}})", ErrorCode::protocol},
      {200, R"({"kind":"Secret",)" + metadata + R"(,"data":["token"]})", ErrorCode::protocol},
      {200, R"({"kind":"Secret",)" + metadata + R"(,"data":{"token":"a"}})", ErrorCode::protocol},
      {200, R"({"kind":"Secret",)" + metadata + R"(,"data":{"token":"YQ=="},"data":{}})", ErrorCode::protocol},
      {200, R"({"kind":"Secret","metadata":{"uid":"u","annotations":[],"resourceVersion":"1"}})", ErrorCode::protocol},
      {200, R"({"kind":"Secret","metadata":{"uid":"u"}})", ErrorCode::protocol},
      {200, R"({"kind":"Secret","metadata":{"resourceVersion":"1"}})", ErrorCode::protocol},
      {200, R"({"kind":"SecretList",)" + metadata + "}", ErrorCode::protocol},
      {204, "", ErrorCode::protocol},
      {302, "", ErrorCode::protocol},
      {400, R"({"kind":"Status","reason":"BadRequest","message":"m"})", ErrorCode::rejected},
      {401, R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized"})", ErrorCode::unauthenticated},
      {429, R"({"kind":"Status","reason":"TooManyRequests","message":"m"})", ErrorCode::unavailable, true},
      {500, R"({"kind":"Status","reason":"InternalError","message":"m"})", ErrorCode::unavailable, true},
      {502, "<html>bad gateway</html>", ErrorCode::unavailable, true},
      {504, R"({"kind":"Status","reason":"Timeout","message":"m"})", ErrorCode::unavailable, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    Bench bench;
    bench.api.answer_with("GET", 1, row.status, row.body);
    const auto reading = run(bench.sink->read());
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == row.code);
    CHECK(reading.error().retryable == row.retryable);
    // What was not read is not written to either.
    CHECK(put(*bench.sink, 1).error().code == ErrorCode::internal);
    CHECK(bench.transport.requests().size() == 1);
  }
}

TEST_CASE("a put says what the server answered") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
    bool retryable = false;
  };
  const std::vector<Row> rows{
      {422, R"({"kind":"Status","reason":"Invalid","message":"m"})", ErrorCode::rejected},
      {413, "", ErrorCode::rejected},
      {415, R"({"kind":"Status","reason":"UnsupportedMediaType","message":"m"})", ErrorCode::rejected},
      {409, R"({"kind":"Status","reason":"Conflict","message":"m"})", ErrorCode::conflict, true},
      {403, R"({"kind":"Status","reason":"Forbidden","message":"m"})", ErrorCode::forbidden},
      {429, R"({"kind":"Status","reason":"TooManyRequests","message":"m"})", ErrorCode::unavailable, true},
      {503, "", ErrorCode::unavailable, true},
      {200, "<html>sign in</html>", ErrorCode::protocol},
      {201, "{}", ErrorCode::protocol},
      {307, "", ErrorCode::protocol},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    Bench bench;
    bench.set("x", "y");
    must_read(*bench.sink);
    bench.api.answer_with("PATCH", 1, row.status, row.body);
    const Status status = put(*bench.sink, 1);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == row.code);
    CHECK(status.error().retryable == row.retryable);
    CHECK(status.error().http_status == (row.code == ErrorCode::protocol && row.status < 300 ? 0 : row.status));
    must_put(*bench.sink, 1);  // tried again from the same read()
  }
  Bench bench;
  must_read(*bench.sink);
  doubles::Reply busy;
  busy.status = 429;
  busy.headers["Retry-After"] = "7";
  bench.api.answer_with("POST", 1, busy);
  CHECK(put(*bench.sink, 1).error().hint.find("for 7 s") != std::string::npos);
}

TEST_CASE("after a lost reply a read tells whether the key was written") {
  Bench bench;
  must_read(*bench.sink);
  bench.api.drop_reply("POST");
  CHECK(put(*bench.sink, 1).error().code == ErrorCode::ambiguous);
  CHECK(must_read(*bench.sink).key.reveal() == key_text(1));
  bench.api.drop_reply("PATCH");
  CHECK(put(*bench.sink, 2).error().code == ErrorCode::ambiguous);
  CHECK(put(*bench.sink, 3).error().code == ErrorCode::conflict);  // without a look at it
  CHECK(must_read(*bench.sink).key.reveal() == key_text(2));
  bench.api.drop_reply("GET");
  CHECK(run(bench.sink->read()).error().code == ErrorCode::unavailable);
}

TEST_CASE("the token is read from its file for every request; no file, no token") {
  const test::TemporaryDirectory files;
  Bench bench;
  bench.token_file = files / "token";
  bench.sink = bench.make("token");
  must_read(*bench.sink);
  CHECK(bench.api.log().back().headers.count("authorization") == 0);
  files.write("token", "first\n");
  bench.api.require_token("first");
  must_read(*bench.sink);
  files.write("token", "second");
  bench.api.require_token("second");
  must_put(*bench.sink, 1);
  for (const std::string text : {"", "two\nlines\n"}) {
    files.write("token", text);
    bench.transport.forget_requests();
    const auto reading = run(bench.sink->read());
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == ErrorCode::invalid);
    CHECK(reading.error().hint.find("kubernetes.tokenFile") != std::string::npos);
    CHECK(bench.transport.requests().empty());
  }
}

TEST_CASE("no error and no target shows the key, even where the server quotes it") {
  const std::string quoting = R"({"kind":"Status","reason":")" + base64(key_text(1)) + R"(","message":"bad value )" +
                              key_text(1) + " or " + base64(key_text(1)) + R"("})";
  for (const std::string& body : {quoting, "<html>" + key_text(1) + "</html>"}) {
    Bench bench;
    must_read(*bench.sink);
    bench.api.answer_with("POST", 1, 422, body);
    const Status status = put(*bench.sink, 1);
    REQUIRE_FALSE(status);
    CHECK(status.error().server_text.find("(the key)") != std::string::npos);
    check_no_key(status.error(), 1);
    for (const std::string& line : bench.transport.lines()) CHECK(line.find("glsa_") == std::string::npos);
  }
  // A reply that the transport could not make sense of holds the key, for all we know.
  Bench bench;
  bench.transport.answer_with([](const http::Request&) -> Result<http::Response> {
    return fail(Error(ErrorCode::protocol, "no length").with_server_text(base64(key_text(1))));
  });
  const auto reading = run(bench.sink->read());
  REQUIRE_FALSE(reading);
  check_no_key(reading.error(), 1);
  CHECK(reading.error().hint.find("kubernetes.url") != std::string::npos);
}

TEST_CASE("a marker's annotation has a name that Kubernetes takes, another for each key") {
  CHECK(marker_annotation("token") == "graftd/marker.token");
  CHECK(marker_annotation("a.b_c-D9") == "graftd/marker.a.b_c-D9");
  const std::string longest(56, 'k');
  CHECK(marker_annotation(longest) == "graftd/marker." + longest);
  std::set<std::string> names;
  const std::vector<std::string> unfit{longest + "k", std::string(253, 'k'), "token-", "token.", "token_", "_"};
  for (const std::string& each : unfit) {
    const std::string name = marker_annotation(each);
    names.insert(name);
    CHECK(name.starts_with("graftd/marker-of."));
    CHECK(name.size() <= 7 + 63);
    Bench bench;  // the double checks the name as the API server does
    const auto sink = bench.make(each);
    must_read(*sink);
    must_put(*sink, 1);
    CHECK(must_read(*sink).fingerprint == marker(1).entries.front().fingerprint);
  }
  CHECK(names.size() == unfit.size());
}

}  // namespace graft::sink
