#include <atomic>
#include <doctest/doctest.h>
#include <signal.h>

#include "http/beast_transport.hpp"
#include "support/run_coroutine.hpp"
#include "support/temporary_directory.hpp"
#include "unit/http/certificates.hpp"
#include "unit/http/raw_server.hpp"

namespace graft::http {

namespace {

using test::Certificate;
using test::CertificateSpec;
using test::RawConnection;
using test::RawServer;
using test::reply;
using test::TemporaryDirectory;

// One GET by a transport of its own.
Result<Response> fetch(const Endpoint& endpoint, Request request = Request("GET", "/")) {
  asio::io_context context(1);
  auto transport = make_beast_transport(endpoint);
  if (!transport) return fail(transport.error());
  return test::run_on(context, (*transport)->exchange(std::move(request)));
}

// A server that counts the requests which reach it, and a client that trusts what is in ca.pem of its directory.
class TlsBench {
 public:
  explicit TlsBench(const Certificate& certificate, int highest_version = 0)
      : context_(certificate.server(highest_version)),
        server([this](RawConnection& connection) { serve(connection); }, context_.get()) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL of the server writes to connections that the client has ended
  }

  Result<Response> get(const std::string& host = "localhost", const std::string& ca = "ca.pem") {
    Endpoint endpoint;
    endpoint.url = server.url(host);
    if (!ca.empty()) endpoint.tls.ca_file = files / ca;
    return fetch(endpoint);
  }

  TemporaryDirectory files;
  std::atomic<int> requests{0};

 private:
  void serve(RawConnection& connection) {
    while (!connection.read_request().empty()) {
      ++requests;
      connection.send(reply("over TLS"));
    }
  }
  std::shared_ptr<SSL_CTX> context_;

 public:
  RawServer server;
};

std::string text_of(const Result<Response>& result) { return result ? "a response" : result.error().describe(); }

}  // namespace

TEST_CASE("a certificate of a trusted issuer is accepted by name and by address, on TLS 1.2 and 1.3") {
  const Certificate certificate{CertificateSpec{}};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsBench bench(certificate, version);
    bench.files.write("ca.pem", certificate.pem());
    for (const std::string host : {"localhost", "127.0.0.1"}) {
      const auto result = bench.get(host);
      REQUIRE_MESSAGE(result, text_of(result));
      CHECK(result->body == "over TLS");
    }
  }
}

TEST_CASE("kept TLS connections serve again") {
  const Certificate certificate{CertificateSpec{}};
  TlsBench bench(certificate);
  bench.files.write("ca.pem", certificate.pem());
  Endpoint endpoint;
  endpoint.url = bench.server.url("localhost");
  endpoint.tls.ca_file = bench.files / "ca.pem";
  asio::io_context context(1);
  const auto transport = make_beast_transport(endpoint).value();
  for (int i = 0; i < 5; ++i) REQUIRE(test::run_on(context, transport->exchange(Request("GET", "/"))));
  CHECK(bench.server.connections() == 1);
  CHECK(bench.requests == 5);
}

TEST_CASE("a certificate that proves nothing is refused with its reason, and no request is sent") {
  struct Row {
    std::string situation;
    CertificateSpec spec;
    bool trusted;
    const char* parts[3];
  };
  CertificateSpec expired, not_yet, other_name;
  expired.valid_until = -60;
  not_yet.valid_from = 600;
  other_name.alternative_names = "DNS:elsewhere.test,IP:127.0.0.2";
  const Row rows[] = {
      {"unknown issuer",
       CertificateSpec{},
       false,
       {"self-signed certificate", "CN=grafana.test", "grafana.tls.caFile"}},
      {"expired", expired, true, {"expired", "valid until", "must be renewed"}},
      {"not yet valid", not_yet, true, {"not yet valid", "CN=grafana.test", "clocks"}},
      {"made for another name", other_name, true, {"ostname mismatch", "CN=grafana.test", "grafana.url"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.situation);
    const Certificate certificate(row.spec);
    TlsBench bench(certificate);
    const Certificate other{CertificateSpec{}};
    bench.files.write("ca.pem", row.trusted ? certificate.pem() : other.pem());
    const auto result = bench.get();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::unavailable);
    CHECK(result.error().retryable);
    for (const char* part : row.parts) CHECK_MESSAGE(text_of(result).find(part) != std::string::npos, text_of(result));
    CHECK(bench.requests == 0);
  }
}

TEST_CASE("an address that the certificate does not name is refused, and so is a name of the system's trust alone") {
  CertificateSpec spec;
  spec.alternative_names = "DNS:localhost";
  const Certificate certificate(spec);
  TlsBench bench(certificate);
  bench.files.write("ca.pem", certificate.pem());
  CHECK(text_of(bench.get("127.0.0.1")).find("IP address mismatch") != std::string::npos);
  CHECK(text_of(bench.get("localhost", "")).find("grafana.tls.caFile") != std::string::npos);
  CHECK(bench.get("localhost"));
}

TEST_CASE("TLS 1.1 is refused") {
  const Certificate certificate{CertificateSpec{}};
  TlsBench bench(certificate, TLS1_1_VERSION);
  bench.files.write("ca.pem", certificate.pem());
  const auto result = bench.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unavailable);
  CHECK(bench.requests == 0);
}

TEST_CASE("https:// to a port that speaks plain HTTP says so") {
  RawServer server([](RawConnection& connection) { connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Endpoint endpoint;
  endpoint.url = "https://127.0.0.1:" + std::to_string(server.port());
  const auto result = fetch(endpoint);
  CHECK(text_of(result).find("should grafana.url begin with http://?") != std::string::npos);
}

TEST_CASE("a server that never answers the handshake is unavailable, not ambiguous") {
  RawServer server([](RawConnection& connection) {
    while (!connection.closed_by_client()) {
    }
  });
  Endpoint endpoint;
  endpoint.url = "https://127.0.0.1:" + std::to_string(server.port());
  endpoint.handshake_timeout = std::chrono::milliseconds(50);
  Request request("POST", "/");
  request.idempotent = false;
  const auto result = fetch(endpoint, std::move(request));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unavailable);
}

TEST_CASE("a renewed CA file is read without a restart; a broken one leaves the old in force") {
  const Certificate certificate{CertificateSpec{}}, other{CertificateSpec{}};
  TlsBench bench(certificate);
  bench.files.write("ca.pem", other.pem());
  Endpoint endpoint;
  endpoint.url = bench.server.url("localhost");
  endpoint.tls.ca_file = bench.files / "ca.pem";
  endpoint.max_idle = 0;
  asio::io_context context(1);
  const auto transport = make_beast_transport(endpoint).value();
  const auto works = [&] { return test::run_on(context, transport->exchange(Request("GET", "/"))).has_value(); };
  CHECK_FALSE(works());
  bench.files.write("ca.pem", certificate.pem() + "\n");
  CHECK(works());
  bench.files.write("ca.pem", "half a fi");
  CHECK(works());
}

TEST_CASE("files that cannot be used are named before anything is connected") {
  const Certificate certificate{CertificateSpec{}}, other{CertificateSpec{}};
  TemporaryDirectory files;
  files.write("cert.pem", certificate.pem());
  files.write("key.pem", certificate.key_pem());
  files.write("other.pem", other.key_pem());
  files.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
  struct Row {
    const char *ca, *cert, *key, *expected;
  };
  for (const Row& row :
       {Row{"absent.pem", "", "", "grafana.tls.caFile"}, Row{"broken.pem", "", "", "grafana.tls.caFile"},
        Row{"", "broken.pem", "key.pem", "grafana.tls.certFile"}, Row{"", "cert.pem", "", "needed together"},
        Row{"", "", "key.pem", "needed together"}, Row{"", "cert.pem", "other.pem", "grafana.tls.keyFile"},
        Row{"", "cert.pem", "absent.pem", "grafana.tls.keyFile"}}) {
    const auto path = [&](const std::string& name) { return name.empty() ? name : files / name; };
    Endpoint endpoint;
    endpoint.url = "https://localhost";
    endpoint.tls.ca_file = path(row.ca);
    endpoint.tls.cert_file = path(row.cert);
    endpoint.tls.key_file = path(row.key);
    const auto transport = make_beast_transport(endpoint);
    REQUIRE_FALSE(transport);
    CHECK(transport.error().code == ErrorCode::invalid);
    CHECK_MESSAGE(transport.error().describe().find(row.expected) != std::string::npos, transport.error().describe());
  }
}

}  // namespace graft::http
