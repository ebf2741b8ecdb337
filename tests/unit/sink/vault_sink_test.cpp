#include "sink/vault_sink.hpp"

#include <doctest/doctest.h>
#include <functional>

#include "doubles/vault_server.hpp"
#include "sink/marker.hpp"
#include "support/temporary_directory.hpp"
#include "unit/sink/keys.hpp"

namespace graft::sink {

using namespace testing;

namespace {

// The field `token` of secret/grafana/apiorg, by a token from a file.
class Bench {
 public:
  explicit Bench(VaultTarget target = {"secret", "grafana/apiorg", "token"}) : transport(vault.handler()) {
    vault.add_token("file-token");
    files.write("token", "file-token\n");
    access = std::make_unique<VaultAccess>(transport, clock, "", files / "token");
    sink = make_vault_sink(std::move(target), *access);
  }
  void log_in(const std::string& vault_namespace = "") {
    files.write("jwt", "the.jwt");
    vault.allow_login("graftd", "the.jwt", 3600);
    access = std::make_unique<VaultAccess>(transport, clock, vault_namespace,
                                           VaultLogin{"kubernetes", "graftd", files / "jwt"});
    sink = make_vault_sink({"secret", "grafana/apiorg", "token"}, *access);
  }
  std::optional<std::string> field(const std::string& name = "token") const {
    return vault.field("secret", "grafana/apiorg", name);
  }
  void set(const std::string& name, const std::string& value) {
    vault.set_field("secret", "grafana/apiorg", name, value);
  }
  int version() const { return vault.version("secret", "grafana/apiorg"); }

  test::TemporaryDirectory files;
  ManualClock clock;
  doubles::VaultServer vault;
  http::FakeTransport transport;
  std::unique_ptr<VaultAccess> access;
  std::unique_ptr<Sink> sink;
};

}  // namespace

TEST_CASE("a secret that is not there is made, with key and marker in one version, and read back") {
  Bench bench;
  CHECK(bench.sink->describe() == "vault secret/grafana/apiorg#token");
  const Reading before = must_read(*bench.sink);
  CHECK(before.state == KeyState::missing);
  CHECK(before.identity.empty());
  must_put(*bench.sink, 1);
  CHECK(bench.version() == 1);
  CHECK(bench.field() == key_text(1));
  const std::string text = bench.field("token_graftd").value();
  CHECK(text.find('\n') == std::string::npos);
  CHECK(read_marker(text)->entries == marker(1).entries);
  const Reading after = must_read(*bench.sink);
  CHECK(after.state == KeyState::present);
  CHECK(after.key.reveal() == key_text(1));
  CHECK(after.fingerprint == marker(1).entries.front().fingerprint);
  CHECK(after.identity.starts_with("1:2026-11-24T"));
  CHECK(bench.transport.lines() == std::vector<std::string>{"GET /v1/secret/data/grafana/apiorg",
                                                            "POST /v1/secret/data/grafana/apiorg",
                                                            "GET /v1/secret/data/grafana/apiorg"});
  for (const auto& each : bench.vault.log()) {
    CHECK(each.headers.at("x-vault-request") == "true");
    CHECK(each.headers.at("x-vault-token") == "file-token");
    CHECK(each.headers.count("x-vault-namespace") == 0);
  }
  CHECK_FALSE(bench.transport.requests()[1].idempotent);
}

TEST_CASE("a rotation writes a new version in which the other fields are what they were") {
  Bench bench;
  bench.vault.set_fields("secret", "grafana/apiorg",
                         R"({"user":"é \"q\" \\ \u0000","n":[1,2.5,null,true],"deep":{"a":{"b":"}"}},"":"x"})");
  const std::string before = bench.vault.fields("secret", "grafana/apiorg");
  must_read(*bench.sink);
  must_put(*bench.sink, 1);
  must_put(*bench.sink, 2);  // a put() carries on from the one before it
  CHECK(bench.version() == 3);
  CHECK(bench.field() == key_text(2));
  bench.vault.remove_field("secret", "grafana/apiorg", "token");
  bench.vault.remove_field("secret", "grafana/apiorg", "token_graftd");
  CHECK(bench.vault.fields("secret", "grafana/apiorg") == before);
}

TEST_CASE("other fields go back to the byte: numbers too large for any type, escapes, blanks") {
  Bench bench;
  const std::string others =
      R"( "big" : 123456789012345678901234567890 , "cents":1.10,"s":"\u00e9\/\"}{", "o":{ "a" :[ ] })";
  bench.vault.answer_with("GET", 1, 200,
                          R"({"data":{"metadata":{"version":4,"created_time":"c"},"data":{)" + others +
                              R"(,"token":")" + key_text(1) + R"(","\u0074oken_graftd":"x"}}})");
  CHECK(must_read(*bench.sink).state == KeyState::present);
  CHECK(put(*bench.sink, 2).error().code == ErrorCode::conflict);  // the double knows nothing of version 4
  const std::string body = bench.transport.requests().back().body;
  for (const std::string part : {R"("big":123456789012345678901234567890,)", R"("cents":1.10,)",
                                 R"("s":"\u00e9\/\"}{",)", R"("o":{ "a" :[ ] },)", R"({"options":{"cas":4},)"}) {
    CAPTURE(part);
    CHECK(body.find(part) != std::string::npos);
  }
  CHECK(body.find("0074") == std::string::npos);  // the old marker, whose name was written with an escape
  CHECK(body.find(key_text(1)) == std::string::npos);
}

TEST_CASE("what somebody else writes between read and put is never overwritten") {
  struct Row {
    std::string what;
    std::function<void(Bench&)> before, event;
  };
  const auto nothing = [](Bench&) {};
  const auto key_is_there = [](Bench& bench) { bench.set("token", key_text(1)); };
  const auto deleted = [](Bench& bench) {
    bench.set("token", key_text(1));
    bench.vault.delete_current("secret", "grafana/apiorg");
  };
  const std::vector<Row> rows{
      {"the same field", key_is_there, [](Bench& bench) { bench.set("token", key_text(7)); }},
      {"another field", key_is_there, [](Bench& bench) { bench.set("x", "y"); }},
      {"the first version", nothing, [](Bench& bench) { bench.set("token", key_text(7)); }},
      {"a version after a deleted one", deleted, [](Bench& bench) { bench.set("x", "y"); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    row.before(bench);
    must_read(*bench.sink);
    row.event(bench);
    const int version = bench.version();
    const Status status = put(*bench.sink, 2);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::conflict);
    CHECK(status.error().retryable);
    CHECK(bench.version() == version);
    must_read(*bench.sink);
    must_put(*bench.sink, 2);
    CHECK(bench.field() == key_text(2));
  }
}

TEST_CASE("a version that was deleted or destroyed reads as missing, and is followed by the next") {
  for (const bool destroyed : {false, true}) {
    Bench bench;
    bench.set("token", key_text(1));
    bench.set("token", key_text(2));
    if (destroyed) bench.vault.destroy_current("secret", "grafana/apiorg");
    if (!destroyed) bench.vault.delete_current("secret", "grafana/apiorg");
    const Reading reading = must_read(*bench.sink);
    CHECK(reading.state == KeyState::missing);
    CHECK(reading.identity.empty());
    REQUIRE(run(bench.sink->probe()));
    must_put(*bench.sink, 3);
    CHECK(bench.version() == 3);
    CHECK(bench.field() == key_text(3));
  }
}

TEST_CASE("content of somebody else is not overwritten, and no request is made to try") {
  for (const std::string fields :
       {R"({"token":"a password"})", R"({"token":""})", R"({"token":5})", R"({"token":{"a":1}})", R"({"token":null})",
        R"({"token":"x","token_graftd":"y"})"}) {
    CAPTURE(fields);
    Bench bench;
    bench.vault.set_fields("secret", "grafana/apiorg", fields);
    CHECK(must_read(*bench.sink).state == KeyState::malformed);
    bench.transport.forget_requests();
    for (const Status& status : {put(*bench.sink, 1), run(bench.sink->probe())}) {
      REQUIRE_FALSE(status);
      CHECK(status.error().code == ErrorCode::conflict);
      CHECK_FALSE(status.error().retryable);
      CHECK_FALSE(status.error().hint.empty());
    }
    CHECK(bench.transport.requests().empty());
    CHECK(bench.version() == 1);
  }
  Bench bench;
  bench.set("token", "glsa_cut");
  bench.set("token_graftd", write_marker(marker(1)));
  must_read(*bench.sink);
  must_put(*bench.sink, 2);
  Bench handmade;
  handmade.set("token", key_text(9));
  CHECK(must_read(*handmade.sink).state == KeyState::present);
  must_put(*handmade.sink, 2);
  CHECK(handmade.field() == key_text(2));
}

TEST_CASE("a probe asks for rights and engine, writes nothing, and says what is missing") {
  struct Row {
    std::string what;
    std::function<void(Bench&)> event;
    ErrorCode code;
    std::string hint;
  };
  const std::string policy = R"(path "secret/data/grafana/apiorg" { capabilities = ["create", "read", "update"] })";
  const auto with = [](std::set<std::string> rights) {
    return [rights](Bench& bench) { bench.vault.add_token("file-token", rights); };
  };
  const std::vector<Row> rows{
      {"no right", with({}), ErrorCode::forbidden, policy},
      {"reading only", with({"read"}), ErrorCode::forbidden, policy},
      {"changing what is not there", with({"read", "update"}), ErrorCode::forbidden, policy},
      {"making what is there",
       [](Bench& bench) {
         bench.set("x", "y");
         bench.vault.add_token("file-token", {"read", "create"});
       },
       ErrorCode::forbidden, policy},
      {"a token that is revoked", [](Bench& bench) { bench.vault.revoke_all(); }, ErrorCode::forbidden, policy},
      {"version 1", [](Bench& bench) { bench.vault.mount("secret", 1); }, ErrorCode::unsupported,
       "\"secret/\" must be a KV engine of version 2"},
      {"no engine", [](Bench& bench) { bench.vault.unmount("secret"); }, ErrorCode::not_found,
       "KV engine of version 2 at \"secret/\"?"},
      {"an engine that comes and goes",
       [](Bench& bench) {
         must_read(*bench.sink);
         bench.vault.unmount("secret");
       },
       ErrorCode::not_found, "there is no engine at \"secret/\""},
      {"sealed", [](Bench& bench) { bench.vault.seal(); }, ErrorCode::unavailable, "tried again"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    row.event(bench);
    const int version = bench.version();
    const Status status = run(bench.sink->probe());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == row.code);
    CHECK_MESSAGE(status.error().hint.find(row.hint) != std::string::npos, status.error().describe());
    CHECK(status.error().message.find("vault secret/grafana/apiorg#token") != std::string::npos);
    CHECK(bench.version() == version);
  }
  for (const std::set<std::string>& rights : {std::set<std::string>{"create", "read"}, {"root"}}) {
    Bench bench;
    bench.vault.add_token("file-token", rights);
    REQUIRE(run(bench.sink->probe()));
    CHECK(bench.version() == 0);
    CHECK(bench.transport.lines() == std::vector<std::string>{"GET /v1/secret/data/grafana/apiorg",
                                                              "POST /v1/sys/capabilities-self",
                                                              "GET /v1/sys/internal/ui/mounts/secret"});
  }
}

TEST_CASE("two of the many 404s say that there is no key; all else is an error") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
    bool retryable = false;
  };
  const std::vector<Row> rows{
      {404, "<html>not here</html>", ErrorCode::not_found},
      {404, "", ErrorCode::not_found},
      {404, "{}", ErrorCode::not_found},
      {404, "[]", ErrorCode::not_found},
      {404, R"({"errors":null})", ErrorCode::not_found},
      {404, R"({"errors":["no handler for route"]})", ErrorCode::not_found},
      {404, R"({"data":null,"warnings":["Invalid path for a versioned K/V secrets engine"]})", ErrorCode::not_found},
      {200, "<html>sign in</html>", ErrorCode::protocol},
      {200, "", ErrorCode::protocol},
      {200, "{}", ErrorCode::unsupported},
      {200, R"({"data":{"token":"x"}})", ErrorCode::unsupported},  // an engine of version 1
      {200, R"({"data":{"data":{"token":"x"},"metadata":{"version":1})", ErrorCode::protocol},
      {200, R"({"data":{"data":["token"],"metadata":{"version":1}}})", ErrorCode::protocol},
      {200, R"({"data":{"data":null,"metadata":{"version":1}}})", ErrorCode::protocol},
      {200, R"({"data":{"data":{},"metadata":{"version":"1"}}})", ErrorCode::unsupported},
      {200, R"({"data":{"data":{},"metadata":{"version":0}}})", ErrorCode::unsupported},
      {204, "", ErrorCode::protocol},
      {307, "", ErrorCode::protocol},
      {400, R"({"errors":["missing client token"]})", ErrorCode::rejected},
      {403, R"({"errors":["permission denied"]})", ErrorCode::forbidden},
      {429, R"({"errors":["request path: rate limit quota exceeded"]})", ErrorCode::unavailable, true},
      {500, R"({"errors":["internal error"]})", ErrorCode::unavailable, true},
      {503, R"({"errors":["Vault is sealed"]})", ErrorCode::unavailable, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    Bench bench;
    bench.vault.answer_with("GET", 1, row.status, row.body);
    const auto reading = run(bench.sink->read());
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == row.code);
    CHECK(reading.error().retryable == row.retryable);
    CHECK(put(*bench.sink, 1).error().code == ErrorCode::internal);
    CHECK(bench.transport.requests().size() == 1);
  }
}

TEST_CASE("a put says what the server answered, and takes nothing but a new version for done") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
    bool retryable = false;
  };
  const std::vector<Row> rows{
      {400, R"({"errors":["check-and-set parameter did not match the current version"]})", ErrorCode::conflict, true},
      {400, R"({"errors":["something else"]})", ErrorCode::rejected},
      {403, R"({"errors":["permission denied"]})", ErrorCode::forbidden},
      {413, "", ErrorCode::rejected},
      {429, R"({"errors":["rate limit quota exceeded"]})", ErrorCode::unavailable, true},
      {503, R"({"errors":["Vault is sealed"]})", ErrorCode::unavailable, true},
      {204, "", ErrorCode::unsupported},
      {200, "<html>sign in</html>", ErrorCode::unsupported},
      {200, R"({"data":{}})", ErrorCode::unsupported},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    Bench bench;
    must_read(*bench.sink);
    bench.vault.answer_with("POST", 1, row.status, row.body);
    const Status status = put(*bench.sink, 1);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == row.code);
    CHECK(status.error().retryable == row.retryable);
    must_put(*bench.sink, 1);  // tried again from the same read()
  }
}

TEST_CASE("after a lost reply a read tells whether the key was written") {
  Bench bench;
  must_read(*bench.sink);
  bench.vault.drop_reply("POST");
  CHECK(put(*bench.sink, 1).error().code == ErrorCode::ambiguous);
  CHECK(put(*bench.sink, 2).error().code == ErrorCode::conflict);  // without a look at it
  CHECK(must_read(*bench.sink).key.reveal() == key_text(1));
  bench.vault.drop_reply("GET");
  CHECK(run(bench.sink->read()).error().code == ErrorCode::unavailable);
}

TEST_CASE("mount and path are encoded part by part, and told in plain to sys/capabilities-self") {
  Bench bench({"team a/kv", "größe/50%/x", "f \"q\""});
  bench.vault.mount("team a/kv", 2);
  REQUIRE(run(bench.sink->probe()));
  must_put(*bench.sink, 1);
  CHECK(bench.vault.field("team a/kv", "größe/50%/x", "f \"q\"") == key_text(1));
  CHECK(bench.transport.lines() == std::vector<std::string>{"GET /v1/team%20a/kv/data/gr%C3%B6%C3%9Fe/50%25/x",
                                                            "POST /v1/sys/capabilities-self",
                                                            "GET /v1/sys/internal/ui/mounts/team%20a/kv",
                                                            "POST /v1/team%20a/kv/data/gr%C3%B6%C3%9Fe/50%25/x"});
  CHECK(must_read(*bench.sink).key.reveal() == key_text(1));
}

TEST_CASE("the token is read from its file for every request") {
  Bench bench;
  must_read(*bench.sink);
  bench.vault.revoke_all();
  CHECK(run(bench.sink->read()).error().code == ErrorCode::forbidden);
  bench.vault.add_token("second");
  bench.files.write("token", "second");
  must_read(*bench.sink);
  must_put(*bench.sink, 1);
  std::filesystem::remove(bench.files / "token");
  const auto reading = run(bench.sink->read());
  REQUIRE_FALSE(reading);
  CHECK(reading.error().hint.find("vault.auth.tokenFile") != std::string::npos);
}

TEST_CASE("a login serves all sinks, and is renewed when two thirds of its lease are over") {
  Bench bench;
  bench.log_in();
  const auto other = make_vault_sink({"secret", "other", "token"}, *bench.access);
  must_read(*bench.sink);
  must_read(*other);
  must_put(*other, 1);
  CHECK(bench.vault.logins() == 1);
  bench.clock.jump_wall(std::chrono::hours(10));  // the wall clock does not matter
  bench.clock.advance(std::chrono::seconds(2399));
  must_read(*bench.sink);
  CHECK(bench.vault.logins() == 1);
  bench.clock.advance(std::chrono::seconds(1));
  bench.files.write("jwt", "renewed.jwt\n");  // the kubelet renews it; it is read anew
  bench.vault.allow_login("graftd", "renewed.jwt");
  must_read(*bench.sink);
  must_read(*other);
  CHECK(bench.vault.logins() == 2);
  CHECK(bench.transport.lines().front() == "POST /v1/auth/kubernetes/login");
}

TEST_CASE("a token that was revoked is replaced by one login, and not again within a minute") {
  Bench bench;
  bench.log_in();
  must_read(*bench.sink);
  bench.vault.revoke_all();
  must_put(*bench.sink, 1);
  CHECK(bench.vault.logins() == 2);
  CHECK(bench.version() == 1);
  bench.vault.revoke_all();
  for (int i = 0; i < 3; ++i) CHECK(run(bench.sink->read()).error().code == ErrorCode::forbidden);
  CHECK(bench.vault.logins() == 2);
  bench.clock.advance(std::chrono::seconds(60));
  must_read(*bench.sink);
  CHECK(bench.vault.logins() == 3);
}

TEST_CASE("a login that fails is an error of its own, and never reads as missing") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
  };
  const std::vector<Row> rows{
      {400, R"({"errors":["invalid role name \"graftd\""]})", ErrorCode::unauthenticated},
      {403, R"({"errors":["permission denied"]})", ErrorCode::unauthenticated},
      {404, R"({"errors":[]})", ErrorCode::unauthenticated},
      {429, R"({"errors":["m"]})", ErrorCode::unavailable},
      {503, R"({"errors":["Vault is sealed"]})", ErrorCode::unavailable},
      {200, "<html></html>", ErrorCode::protocol},
      {200, R"({"auth":null})", ErrorCode::protocol},
      {200, R"({"auth":{"client_token":5}})", ErrorCode::protocol},
      {200, R"({"auth":{"client_token":""}})", ErrorCode::protocol},
      {200, R"({"auth":{"client_token":"a\nb"}})", ErrorCode::protocol},
      {403, R"({"errors":["the.jwt is no good"]})", ErrorCode::unauthenticated},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    Bench bench;
    bench.log_in();
    bench.vault.answer_with("POST", 1, row.status, row.body);
    const auto reading = run(bench.sink->read());
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == row.code);
    CHECK(reading.error().describe().find("the.jwt") == std::string::npos);
    CHECK(bench.transport.lines() == std::vector<std::string>{"POST /v1/auth/kubernetes/login"});
    must_read(*bench.sink);  // the next one logs in
  }
  Bench bench;
  bench.log_in();
  std::filesystem::remove(bench.files / "jwt");
  const auto reading = run(bench.sink->read());
  REQUIRE_FALSE(reading);
  CHECK(reading.error().hint.find("vault.auth.kubernetes.jwtFile") != std::string::npos);
  CHECK(bench.transport.requests().empty());
}

TEST_CASE("a namespace of Vault Enterprise goes with every request, logging in included") {
  Bench bench;
  bench.log_in("team/a");
  bench.vault.require_namespace("team/a");
  REQUIRE(run(bench.sink->probe()));
  must_put(*bench.sink, 1);
  CHECK(bench.field() == key_text(1));
}

TEST_CASE("no error and no target shows the key, even where the server quotes it") {
  for (const std::string& body : {R"({"errors":["bad value )" + key_text(1) + R"("]})", "<p>" + key_text(1) + "</p>"}) {
    Bench bench;
    must_read(*bench.sink);
    bench.vault.answer_with("POST", 1, 400, body);
    const Status status = put(*bench.sink, 1);
    REQUIRE_FALSE(status);
    CHECK(status.error().server_text.find("(the key)") != std::string::npos);
    check_no_key(status.error(), 1);
    for (const std::string& line : bench.transport.lines()) CHECK(line.find("glsa_") == std::string::npos);
  }
  Bench bench;
  bench.transport.answer_with([](const http::Request&) -> Result<http::Response> {
    return fail(Error(ErrorCode::protocol, "no length").with_server_text(key_text(1)));
  });
  const auto reading = run(bench.sink->read());
  REQUIRE_FALSE(reading);
  check_no_key(reading.error(), 1);
  CHECK(reading.error().hint.find("vault.url") != std::string::npos);
}

}  // namespace graft::sink
