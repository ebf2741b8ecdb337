#include <doctest/doctest.h>
#include <memory>
#include <openssl/ssl.h>
#include <signal.h>
#include <string>

#include "support/process.hpp"
#include "unit/admin/endpoint.hpp"
#include "unit/http/certificates.hpp"

namespace graft::test {

namespace {

std::shared_ptr<SSL_CTX> client_context(int highest = 0) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL of the client writes to connections that the server has ended
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), highest);
  return context;
}

class Secured {
 public:
  Secured() {
    files.write("cert.pem", certificate.pem());
    files.write("key.pem", certificate.key_pem());
    settings.cert_file = files / "cert.pem";
    settings.key_file = files / "key.pem";
  }
  Certificate certificate{CertificateSpec{}};
  TemporaryDirectory files;
  admin::ServerSettings settings;
};

}  // namespace

TEST_CASE("over TLS 1.2 and 1.3 everything is as without: requests, changes, large answers, streams, hostile bytes") {
  Secured secured;
  Endpoint endpoint(secured.settings);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = client_context(version);
    RawClient client(endpoint.port(), context.get());
    REQUIRE(client.connected());
    client.send(get("/doc?a=1") + post("/change", right_token, "{}"));
    CHECK(client.reply().body == "a=1;");
    CHECK(client.reply().body == "2");
    client.send(get("/big"));
    CHECK(client.reply().body.size() == std::size_t{64} << 20U);
    client.send("GET /doc HTTP/1.1\nHost: localhost\n\n");
    CHECK(client.reply().status == 400);
    CHECK(client.ended());
    RawClient stream(endpoint.port(), context.get());
    stream.send(get("/events"));
    REQUIRE(stream.read_until(": begins\n\n").ends_with(": begins\n\n"));
    endpoint.events.publish("a", "{}");
    CHECK(stream.read_until("\n\n").find("event: a") != std::string::npos);
  }
  CHECK(endpoint.log.text() == "");
}

TEST_CASE("TLS 1.1 and plain requests fail, and have no effect") {
  Secured secured;
  Endpoint endpoint(secured.settings);
  const auto old = client_context(TLS1_1_VERSION);
  CHECK_FALSE(RawClient(endpoint.port(), old.get()).connected());
  RawClient plain(endpoint.port());
  plain.send(post("/change", right_token, "{}"));
  CHECK(plain.reply().status == 0);
  CHECK(endpoint.calls == 0);
  const auto context = client_context();
  RawClient client(endpoint.port(), context.get());
  client.send(get("/-/healthy"));
  CHECK(client.reply().status == 200);
}

TEST_CASE("a handshake that is not ended is closed in time") {
  Secured secured;
  secured.settings.limits.header_timeout = std::chrono::milliseconds(200);
  Endpoint endpoint(secured.settings);
  RawClient silent(endpoint.port()), half(endpoint.port());
  half.send(std::string_view("\x16\x03\x01", 3));
  CHECK(silent.ended());
  CHECK(half.ended());
}

TEST_CASE("with a token file and TLS, and only with both, the server may listen for other machines") {
  Secured secured;
  secured.settings.listen = "0.0.0.0:0";
  Endpoint endpoint(secured.settings);
  CHECK(endpoint.port() != 0);
  secured.settings.token_file = "none";
  CHECK_THROWS_WITH_AS(Endpoint(secured.settings), doctest::Contains("allowRemote"), std::runtime_error);
}

TEST_CASE("a key of another certificate, or half a pair, is refused by name") {
  Secured secured;
  secured.files.write("key.pem", Certificate{CertificateSpec{}}.key_pem());
  CHECK_THROWS_WITH_AS(Endpoint(secured.settings), doctest::Contains("key.pem"), std::runtime_error);
  secured.settings.key_file.clear();
  CHECK_THROWS_WITH_AS(Endpoint(secured.settings), doctest::Contains("together"), std::runtime_error);
}

TEST_CASE("a renewed certificate is shown to the next client; a broken one is not taken") {
  Secured secured;
  Endpoint endpoint(secured.settings);
  const auto shown = [&] {
    const auto context = client_context();
    RawClient client(endpoint.port(), context.get());
    if (!client.connected()) return std::string("none");
    return client.peer_name();
  };
  CHECK(shown() == "grafana.test");
  CertificateSpec spec;
  spec.common_name = "renewed.test";
  const Certificate renewed(spec);
  secured.files.write("cert.pem", renewed.pem());
  CHECK(shown() == "grafana.test");  // the key does not belong to it yet
  secured.files.write("key.pem", renewed.key_pem());
  CHECK(shown() == "renewed.test");
}

}  // namespace graft::test
