// Requests that no honest client sends: each is refused, none reaches a handler, and the server goes on.
#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "unit/admin/endpoint.hpp"

namespace graft::test {

namespace {

using namespace std::string_literals;

struct Row {
  std::string what, bytes;
  int status;
};

// A change that would be carried out but for what is put into it.
std::string change(std::string_view more) {
  return "POST /change HTTP/1.1\r\nHost: localhost\r\n" + std::string(right_token) + std::string(more);
}

const std::string hello_of_tls = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8a\x0a\x0d\x0a\x51"s;
const std::string host = "Host: localhost\r\n";

std::vector<Row> wire_rows() {
  return {
      {"absolute-form target", "GET http://localhost/doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"absolute-form target of another host", "GET http://evil.test/doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"authority form", "CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n", 405},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a target that is no path", "GET doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a fragment in the target", "GET /doc#x HTTP/1.1\r\n" + host + "\r\n", 400},
      {"blank in the target", "GET /doc x HTTP/1.1\r\n" + host + "\r\n", 400},
      {"two blanks after the method", "GET  /doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"blank before the method", " GET /doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"blank after the version", "GET /doc HTTP/1.1 \r\n" + host + "\r\n", 400},
      {"tab in the request line", "GET\t/doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"empty line before the request", "\r\nGET /doc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"control character in the target", "GET /d\x01oc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"DEL in the target", "GET /doc\x7f HTTP/1.1\r\n" + host + "\r\n", 400},
      {"letters beyond ASCII in the target",
       "GET /d\xc3\xb6"
       "c HTTP/1.1\r\n" +
           host + "\r\n",
       400},
      {"NUL in the target", "GET /doc\0 HTTP/1.1\r\n"s + host + "\r\n", 400},
      {"NUL in a header", "GET /doc HTTP/1.1\r\n" + host + "X: a\0b\r\n\r\n"s, 400},
      {"HTTP/0.9", "GET /doc\r\n", 400},
      {"HTTP/1.0 without Host", "GET /doc HTTP/1.0\r\n\r\n", 400},
      {"HTTP/1.1 without Host", "GET /doc HTTP/1.1\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET /doc HTTP/1.2\r\n" + host + "\r\n", 505},
      {"lower case version", "GET /doc http/1.1\r\n" + host + "\r\n", 400},
      {"bare LF after the request line", "GET /doc HTTP/1.1\n" + host + "\r\n", 400},
      {"bare LF after a header", "GET /doc HTTP/1.1\r\nHost: localhost\n\r\n", 400},
      {"bare LF as the empty line", "GET /doc HTTP/1.1\r\n" + host + "\n", 400},
      {"bare CR in a header", "GET /doc HTTP/1.1\r\n" + host + "X: a\rb: c\r\n\r\n", 400},
      {"folded header", "GET /doc HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
      {"folded first header", "GET /doc HTTP/1.1\r\n Host: localhost\r\n\r\n", 400},
      {"blank before the colon", "GET /doc HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {"header without colon", "GET /doc HTTP/1.1\r\n" + host + "nonsense\r\n\r\n", 400},
      {"header without name", "GET /doc HTTP/1.1\r\n" + host + ": x\r\n\r\n", 400},
      {"a TLS greeting", hello_of_tls, 400},
      {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", 400},
      {"head too large", "GET /doc HTTP/1.1\r\n" + host + "X: " + std::string(9000, 'a') + "\r\n\r\n", 431},
      {"many headers",
       "GET /doc HTTP/1.1\r\n" + host +
           [] {
             std::string many;
             for (int i = 0; i < 3000; ++i) many += "a:b\r\n";
             return many;
           }() +
           "\r\n",
       431},
      {"target too long", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414},
      {"half a request", "GET /doc HTTP/1.1\r\nHost: loc", 408},
  };
}

std::vector<Row> framing_rows() {
  return {
      {"both lengths", change("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
      {"both lengths, other order", change("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"), 400},
      {"coding unknown", change("Transfer-Encoding: gzip\r\n\r\n"), 400},
      {"coding list", change("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400},
      {"coding twice", change("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
      {"coding with a vertical tab",
       change("Transfer-Encoding: \x0b"
              "chunked\r\n\r\n0\r\n\r\n"),
       400},
      {"chunked by HTTP/1.0",
       "POST /change HTTP/1.0\r\n" + host + std::string(right_token) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"lengths that differ", change("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), 400},
      {"the same length twice", change("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), 400},
      {"a list of lengths", change("Content-Length: 2, 2\r\n\r\n{}"), 400},
      {"a negative length", change("Content-Length: -2\r\n\r\n{}"), 400},
      {"a signed length", change("Content-Length: +2\r\n\r\n{}"), 400},
      {"a hexadecimal length", change("Content-Length: 0x2\r\n\r\n{}"), 400},
      {"a length beyond numbers", change("Content-Length: 99999999999999999999999\r\n\r\n{}"), 400},
      {"no length", change("\r\n"), 411},
      {"body too large", change("Content-Length: 1048577\r\n\r\n"), 413},
      {"chunks too large", change("Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"), 413},
      {"a chunk's size is no number", change("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400},
      {"a chunk with bare LF", change("Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n"), 408},
      {"a chunk longer than said", change("Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n"), 400},
      {"half a body", change("Content-Length: 5\r\n\r\n{}"), 408},
      {"unknown expectation", change("Content-Length: 2\r\nExpect: a-miracle\r\n\r\n{}"), 417},
      {"GET with a body", get("/doc", "Content-Length: 2\r\n") + "{}", 400},
      {"GET with chunks", get("/doc", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
      {"two media types", change("Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 400},
      {"two authorizations", change("Authorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}"), 400},
  };
}

std::string with_host(std::string_view name) { return "GET /doc HTTP/1.1\r\nHost: " + std::string(name) + "\r\n\r\n"; }

std::vector<Row> browser_rows() {
  const std::string length = "Content-Length: 2\r\n";
  return {
      {"another host", with_host("evil.test"), 421},
      {"an allowed host as a prefix", with_host("127.0.0.1.evil.test"), 421},
      {"an allowed host as a suffix", with_host("evil-localhost"), 421},
      {"an allowed host behind a name", with_host("evil.test@localhost"), 421},
      {"a host with a dot at its end", with_host("localhost."), 421},
      {"a port that is no number", with_host("localhost:80x"), 421},
      {"an empty port", with_host("localhost:"), 421},
      {"two ports", with_host("localhost:1:2"), 421},
      {"an empty host", with_host(""), 421},
      {"a broken bracket", with_host("[::1"), 421},
      {"a list of hosts", with_host("localhost, evil.test"), 421},
      {"two hosts", "GET /doc HTTP/1.1\r\n" + host + "Host: evil.test\r\n\r\n", 400},
      {"the same host twice", "GET /doc HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"Origin null", change(length + "Origin: null\r\n\r\n{}"), 403},
      {"another origin", change(length + "Origin: http://evil.test\r\n\r\n{}"), 403},
      {"another port of the host", change(length + "Origin: http://localhost:81\r\n\r\n{}"), 403},
      {"an origin of another scheme", change(length + "Origin: file://localhost\r\n\r\n{}"), 403},
      {"an origin with a path", change(length + "Origin: http://localhost/\r\n\r\n{}"), 403},
      {"an empty origin", change(length + "Origin: \r\n\r\n{}"), 403},
      {"another origin reads", get("/doc", "Origin: http://evil.test\r\n"), 403},
      {"a page of another site", change(length + "Sec-Fetch-Site: cross-site\r\n\r\n{}"), 403},
      {"a page of another port", change(length + "Sec-Fetch-Site: same-site\r\n\r\n{}"), 403},
      {"preflight", "OPTIONS /change HTTP/1.1\r\n" + host + "Origin: http://localhost\r\n\r\n", 405},
      {"a form", post("/change", "Authorization: Bearer t0ken\r\nContent-Type: text/plain\r\n", "{}"), 415},
      {"a form of JSON's name",
       post("/change", "Authorization: Bearer t0ken\r\nContent-Type: application/jsonp\r\n", "{}"), 415},
      {"no media type", post("/change", "Authorization: Bearer t0ken\r\n", "{}"), 415},
      {"TRACE", "TRACE /doc HTTP/1.1\r\n" + host + "\r\n", 405},
      {"PUT", "PUT /doc HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}", 405},
      {"DELETE", "DELETE /doc HTTP/1.1\r\n" + host + "\r\n", 405},
      {"unknown method", "BREW /doc HTTP/1.1\r\n" + host + "\r\n", 501},
      {"method in lower case", "get /doc HTTP/1.1\r\n" + host + "\r\n", 501},
      {"GET of a change", get("/change"), 405},
      {"HEAD of a change", "HEAD /change HTTP/1.1\r\n" + host + "\r\n", 405},
      {"POST of a document", post("/doc", right_token, "{}"), 405},
      {"two slashes", post("//change", right_token, "{}"), 404},
      {"slash at the end", post("/change/", right_token, "{}"), 404},
      {"another case", post("/Change", right_token, "{}"), 404},
      {"an encoded letter", post("/chang%65", right_token, "{}"), 404},
      {"an encoded slash", post("/%2fchange", right_token, "{}"), 404},
      {"dots", post("/x/../change", right_token, "{}"), 404},
      {"a parameter in the path", post("/change;x", right_token, "{}"), 404},
      {"broken escape in the query", get("/doc?a=%2"), 400},
      {"broken escape in a name", get("/doc?%zz=1"), 400},
      {"encoded NUL in the query", get("/doc?a=%00"), 400},
      {"broken UTF-8 in the query", get("/doc?a=%ff"), 400},
      {"a name twice in the query", get("/doc?a=1&a=2"), 400},
      {"no token", post("/change", "Content-Type: application/json\r\n", "{}"), 401},
      {"a wrong token", post("/change", "Authorization: Bearer t0kem\r\nContent-Type: application/json\r\n", "{}"),
       401},
      {"half a token", post("/change", "Authorization: Bearer t0ke\r\nContent-Type: application/json\r\n", "{}"), 401},
      {"an empty token", post("/change", "Authorization: Bearer \r\nContent-Type: application/json\r\n", "{}"), 401},
      {"another scheme", post("/change", "Authorization: Basic t0ken\r\nContent-Type: application/json\r\n", "{}"),
       401},
  };
}

void refuse_all(const std::vector<Row>& rows) {
  admin::ServerSettings settings;
  settings.limits.header_timeout = settings.limits.body_timeout = std::chrono::milliseconds(500);
  Endpoint endpoint(settings);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const RawReply reply = ask(endpoint.port(), row.bytes, row.bytes.starts_with("HEAD"));
    CHECK(reply.status == row.status);
    CHECK(reply.header("access-control-allow-origin").empty());
    CHECK(reply.header("x-content-type-options") == "nosniff");
    CHECK(reply.header("content-type") == "application/json");
    CHECK(endpoint.calls == 0);
  }
  CHECK(ask(endpoint.port(), get("/-/healthy")).status == 200);
  CHECK(ask(endpoint.port(), post("/change", right_token, "{}")).status == 200);
  CHECK(endpoint.changes == 1);
  CHECK(endpoint.log.text() == "");
}

}  // namespace

TEST_CASE("bytes that are no strict HTTP are refused before any handler") { refuse_all(wire_rows()); }

TEST_CASE("bodies whose length can be read in two ways are refused before any handler") { refuse_all(framing_rows()); }

TEST_CASE("pages of others, wrong names, paths and methods, and missing tokens are refused") {
  refuse_all(browser_rows());
}

TEST_CASE("every refusal is found byte by byte too, and whatever comes after it is not read as a request") {
  admin::ServerSettings settings;
  settings.limits.header_timeout = std::chrono::milliseconds(500);
  Endpoint endpoint(settings);
  for (const Row& row : {Row{"bare LF", "GET /doc HTTP/1.1\nHost: localhost\n\n", 400},
                         Row{"folded", "GET /doc HTTP/1.1\r\nHost: localhost\r\n\tx\r\n\r\n", 400},
                         Row{"no length", change("\r\n"), 411}}) {
    CAPTURE(row.what);
    RawClient client(endpoint.port());
    for (const char& byte : row.bytes) client.send(std::string_view(&byte, 1));
    client.send(post("/change", right_token, "{}"));
    CHECK(client.reply().status == row.status);
    CHECK(client.reply().status == 0);
    CHECK(endpoint.calls == 0);
  }
}

TEST_CASE("garbage behind a good request: the request is answered, the garbage refused, the connection closed") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  client.send(get("/doc") + "\x01garbage\r\n\r\n" + post("/change", right_token, "{}"));
  CHECK(client.reply().status == 200);
  const RawReply second = client.reply();
  CHECK(second.status == 400);
  CHECK(second.header("connection") == "close");
  CHECK(client.ended());
  CHECK(endpoint.changes == 0);
}

TEST_CASE("a connection cut in the middle of a request has no effect") {
  Endpoint endpoint;
  for (const std::string& bytes : {std::string("GET /doc HT"), change("Content-Length: 9\r\n\r\n{}"), std::string()}) {
    RawClient client(endpoint.port());
    client.send(bytes);
    client.finish();
    const int status = client.reply().status;
    CHECK(status == (bytes.empty() ? 0 : 400));
  }
  CHECK(endpoint.calls == 0);
}

}  // namespace graft::test
