#include <doctest/doctest.h>
#include <string>
#include <unistd.h>

#include "support/process.hpp"
#include "unit/admin/endpoint.hpp"

namespace graft::test {

namespace {

using test_support::eventually;

Error error_of(const admin::ServerSettings& settings) {
  boost::asio::io_context io;
  admin::Broadcast events;
  auto made = admin::Server::make(io, settings, {}, events, nullptr, null_log());
  return made ? Error() : made.error();
}

std::string as_host(const std::string& host) { return "GET /doc HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }

}  // namespace

TEST_CASE("a document is answered with its length, its tag and the headers that protect it") {
  Endpoint endpoint;
  const RawReply reply = ask(endpoint.port(), get("/doc?a=b%20c&d=%C3%A4&e&f=x+y&&"));
  CHECK(reply.status == 200);
  CHECK(reply.body == "a=b c;d=\xc3\xa4;e=;f=x y;");
  CHECK(reply.header("content-type") == "application/json");
  CHECK(reply.header("etag") == "\"v1\"");
  CHECK(reply.header("cache-control") == "no-cache");
  CHECK(reply.header("x-content-type-options") == "nosniff");
  CHECK(reply.header("referrer-policy") == "no-referrer");
  CHECK(reply.header("x-frame-options") == "DENY");
  CHECK(reply.header("cross-origin-resource-policy") == "same-origin");
  CHECK(reply.header("server") == "");
  CHECK(reply.header("date").ends_with(" GMT"));
  CHECK(ask(endpoint.port(), get("/-/healthy")).header("cache-control") == "no-store");
}

TEST_CASE("one connection serves many requests, also sent at once, until the client asks to close") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  for (int i = 0; i < 5; ++i) {
    client.send(get("/-/healthy"));
    CHECK(client.reply().body == "ok\n");
  }
  client.send(get("/doc?n=1") + post("/change", right_token, "{\"a\":1}") + get("/doc?n=2", "Connection: close\r\n"));
  CHECK(client.reply().body == "n=1;");
  CHECK(client.reply().body == "7");
  const RawReply last = client.reply();
  CHECK(last.body == "n=2;");
  CHECK(last.header("connection") == "close");
  CHECK(client.ended());
}

TEST_CASE("HTTP/1.0 is answered and closed") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  client.send("GET /doc HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  CHECK(client.reply().status == 200);
  CHECK(client.ended());
}

TEST_CASE("HEAD gives the head of GET without its body") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  client.send("HEAD /doc?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/-/healthy"));
  const RawReply head = client.reply(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "4");
  CHECK(client.reply().body == "ok\n");
  client.send("HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/-/healthy"));
  CHECK(client.reply(true).header("content-type") == "text/event-stream");
  CHECK(client.reply().body == "ok\n");
}

TEST_CASE("a known tag is answered by 304 without a body") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  for (const std::string tags : {"\"v1\"", "W/\"v1\"", "\"v0\", \"v1\"", "*"}) {
    client.send(get("/doc", "If-None-Match: " + tags + "\r\n"));
    const RawReply reply = client.reply(true);
    CHECK(reply.status == 304);
    CHECK(reply.header("etag") == "\"v1\"");
  }
  for (const std::string tags : {"\"v2\"", "v1", ""}) {
    client.send(get("/doc", "If-None-Match: " + tags + "\r\n"));
    CHECK(client.reply().status == 200);
  }
}

TEST_CASE("a path or method that is not there says so, and the connection goes on") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  client.send(get("/nothing") + get("/change") + get("/-/healthy"));
  const RawReply nothing = client.reply();
  CHECK(nothing.status == 404);
  CHECK(nothing.body == "{\"error\":\"there is nothing at this path\"}\n");
  const RawReply wrong = client.reply();
  CHECK(wrong.status == 405);
  CHECK(wrong.header("allow") == "POST");
  CHECK(client.reply().status == 200);
  CHECK(ask(endpoint.port(), post("/doc", right_token, "")).header("allow") == "GET, HEAD");
  CHECK(eventually([&] { return endpoint.counted() == "other 404\nother 405\n/-/healthy 200\nother 405\n"; }));
}

TEST_CASE("the names of this machine, of the address and of the settings are accepted, with any port") {
  admin::ServerSettings settings;
  settings.hosts = {"graftd.example"};
  Endpoint endpoint(settings);
  for (const std::string host : {"localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:9417", "127.0.0.1:1",
                                 "[::1]:9417", "graftd.example", "Graftd.Example:443"})
    CHECK_MESSAGE(ask(endpoint.port(), as_host(host)).status == 200, host);
  for (const std::string origin : {"http://localhost", "https://localhost", "HTTP://localhost"})
    CHECK(ask(endpoint.port(), get("/doc", "Origin: " + origin + "\r\n")).status == (origin[0] == 'H' ? 403 : 200));
  const std::string same = "Host: localhost:9417\r\nOrigin: http://localhost:9417\r\nSec-Fetch-Site: same-origin\r\n";
  CHECK(
      ask(endpoint.port(), "POST /change HTTP/1.1\r\n" + same + std::string(right_token) + "Content-Length: 0\r\n\r\n")
          .status == 200);
}

TEST_CASE("a server for all addresses is known by the one that was asked, by no other number") {
  admin::ServerSettings settings;
  settings.listen = "0.0.0.0:0";
  settings.allow_remote = true;
  Endpoint endpoint(settings);
  CHECK(ask(endpoint.port(), as_host("127.0.0.1")).status == 200);
  CHECK(ask(endpoint.port(), as_host("0.0.0.0")).status == 421);
  CHECK(ask(endpoint.port(), as_host("127.0.0.2")).status == 421);
}

TEST_CASE("a change is carried out with the right token, JSON and a length") {
  Endpoint endpoint;
  CHECK(ask(endpoint.port(), post("/change", right_token, "12345")).body == "5");
  CHECK(ask(endpoint.port(),
            post("/change", "Authorization: bearer t0ken\r\nContent-Type: Application/JSON; charset=utf-8\r\n", ""))
            .body == "0");
  const std::string chunks = "POST /change HTTP/1.1\r\nHost: localhost\r\n" + std::string(right_token) +
                             "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nHost: evil\r\n\r\n";
  CHECK(ask(endpoint.port(), chunks).body == "5");
  CHECK(ask(endpoint.port(), post("/change", right_token, std::string(1 << 20, 'a'))).body == "1048576");
  CHECK(endpoint.changes == 4);
  const RawReply wrong = ask(endpoint.port(), post("/change", "Content-Type: application/json\r\n", ""));
  CHECK(wrong.status == 401);
  CHECK(wrong.header("www-authenticate") == "Bearer");
}

TEST_CASE("a token file that has changed counts at once; its last line end does not") {
  Endpoint endpoint;
  const auto status = [&](const std::string& token) {
    return ask(endpoint.port(),
               post("/change", "Content-Type: application/json\r\nAuthorization: Bearer " + token + "\r\n", ""))
        .status;
  };
  for (const std::string content : {"new", "new\n", "new\r\n"}) {
    endpoint.files.write("token", content);
    CHECK(status("new") == 200);
    CHECK(status("t0ken") == 401);
  }
}

TEST_CASE("without a token file changes are off and the answer says how to allow them") {
  admin::ServerSettings settings;
  settings.token_file = "none";
  Endpoint endpoint(settings);
  const RawReply reply = ask(endpoint.port(), post("/change", right_token, ""));
  CHECK(reply.status == 403);
  CHECK(reply.body.find("tokenFile") != std::string::npos);
  CHECK(endpoint.calls == 0);
  CHECK(endpoint.log.text() == "");
}

TEST_CASE("a token file that cannot be used trusts nobody, and the log says which, once") {
  Endpoint endpoint;
  for (const bool absent : {false, true}) {
    if (absent) {
      ::unlink((endpoint.files / "token").c_str());
    } else {
      endpoint.files.write("token", "\n");
    }
    for (const std::string& more :
         {std::string(right_token), std::string("Authorization: Bearer \r\nContent-Type: application/json\r\n")})
      CHECK(ask(endpoint.port(), post("/change", more, "")).status == 403);
  }
  CHECK(endpoint.calls == 0);
  CHECK(endpoint.log.lines() == 1);
  CHECK(endpoint.log.text().find("path=" + (endpoint.files / "token")) != std::string::npos);
  CHECK(endpoint.log.text().find("uid=" + std::to_string(::geteuid())) != std::string::npos);
}

TEST_CASE("a reader is trusted by the token alone, and served without") {
  Endpoint endpoint;
  CHECK(ask(endpoint.port(), get("/trusted")).body == "no");
  CHECK(ask(endpoint.port(), get("/trusted", right_token)).body == "yes");
  CHECK(ask(endpoint.port(), get("/trusted", "Authorization: Bearer wrong\r\n")).body == "no");
}

TEST_CASE("who waits for 100 Continue gets it when the body is wanted, and only then") {
  Endpoint endpoint;
  RawClient client(endpoint.port());
  client.send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" +
              std::string(right_token) + "\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("{}");
  CHECK(client.reply().body == "2");
  client.send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.reply().status == 401);
  CHECK(client.ended());
}

TEST_CASE("a handler that fails is a 500 without its words; the log has them, and the server goes on") {
  Endpoint endpoint;
  for (const std::string path : {"/throw", "/throw-int"}) {
    const RawReply reply = ask(endpoint.port(), get(path));
    CHECK(reply.status == 500);
    CHECK(reply.body == "{\"error\":\"internal error\"}\n");
  }
  CHECK(endpoint.log.text().find("route=/throw err=secret detail") != std::string::npos);
  CHECK(ask(endpoint.port(), get("/-/healthy")).status == 200);
}

TEST_CASE("a value of a handler cannot become a header of its own") {
  Endpoint endpoint;
  const RawReply reply = ask(endpoint.port(), get("/inject"));
  CHECK(reply.status == 200);
  CHECK(reply.head.find("Set-Cookie") == std::string::npos);
}

TEST_CASE("the page carries a policy that allows its own script and style, and nothing else") {
  Endpoint endpoint;
  const std::string policy = ask(endpoint.port(), get("/page")).header("content-security-policy");
  // printf 'b()' | openssl dgst -sha256 -binary | base64, and the same of a{}
  CHECK(policy ==
        "default-src 'none'; script-src 'self' 'sha256-cf242PFc/kb7xD0Qzhsmd9vvRkc+cWFmbi+k+YvtdKc='; style-src 'self' "
        "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; connect-src 'self'; "
        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  CHECK(ask(endpoint.port(), get("/doc")).header("content-security-policy") == "");
}

TEST_CASE("scripts with a source need no digest; cases and line ends are as browsers see them") {
  const std::string plain = admin::content_security_policy("<script>\nb()\n</script>");
  CHECK(admin::content_security_policy("<SCRIPT defer>\r\nb()\r\n</SCRIPT>") == plain);
  CHECK(admin::content_security_policy("<script src=\"/a.js\"></script><script>\nb()\n</script>") == plain);
  CHECK(admin::content_security_policy("<script>b()</script>") != plain);
  CHECK(admin::content_security_policy("no page").find("sha256") == std::string::npos);
}

TEST_CASE("settings that open the server to others, or cannot be, are refused with a way out") {
  const auto with = [](const std::string& listen, const std::string& token = "", const std::string& cert = "") {
    admin::ServerSettings settings;
    settings.listen = listen;
    settings.token_file = token;
    settings.cert_file = settings.key_file = cert;
    return settings;
  };
  for (const std::string listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:9417", "[::ffff:127.0.0.1]:0"}) {
    const Error error = error_of(with(listen, "/etc/token"));
    CHECK(error.code == ErrorCode::invalid);
    CHECK(error.describe().find("other machines") != std::string::npos);
    CHECK(error.hint.find("allowRemote") != std::string::npos);
  }
  for (const std::string listen : {"localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80",
                                   "evil.test:80", ":9417", "127.1:80", "127.0.0.1:80 "})
    CHECK_MESSAGE(error_of(with(listen)).code == ErrorCode::invalid, listen);
  CHECK(error_of(with("127.0.0.1:0", "", "/absent.pem")).describe().find("/absent.pem") != std::string::npos);
  Endpoint endpoint;
  const Error taken = error_of(with("127.0.0.1:" + std::to_string(endpoint.port())));
  CHECK(taken.code == ErrorCode::io);
  CHECK(taken.describe().find("another graftd") != std::string::npos);
}

TEST_CASE("stopping in the midst of everything leaves nothing behind") {
  Endpoint endpoint;
  RawClient idle(endpoint.port()), half(endpoint.port()), waiting(endpoint.port()), reading(endpoint.port()),
      listening(endpoint.port());
  half.send("GET /doc HT");
  waiting.send(get("/wait"));
  reading.send(get("/big"));
  listening.send(get("/events"));
  REQUIRE(listening.read_until(": begins").ends_with(": begins"));
  REQUIRE(reading.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  REQUIRE(eventually([&] { return endpoint.calls == 3; }));
  endpoint.stop();  // the io_context has no work left, or this would not return
  for (RawClient* client : {&idle, &half, &waiting, &reading, &listening}) CHECK(client->ended());
  CHECK(endpoint.log.text() == "");
  CHECK_FALSE(RawClient(endpoint.port()).connected());
}

TEST_CASE("an io_context that ends before its server has stopped takes everything with it") {
  auto io = std::make_unique<boost::asio::io_context>(1);
  admin::Broadcast events;
  auto wait = [](const admin::Request&) -> boost::asio::awaitable<admin::Response> {
    co_return admin::text_response(200, "");
  };
  std::vector<admin::Route> routes{{"GET", "/doc", "", false, wait}};
  admin::ServerSettings settings;
  settings.listen = "127.0.0.1:0";
  auto server = admin::Server::make(*io, settings, routes, events, nullptr, null_log());
  REQUIRE(server);
  RawClient client((*server)->port());
  client.send("GET /doc HT");
  io->run_for(std::chrono::milliseconds(50));
  server->reset();
  events.publish("status", "{}");
  io.reset();
  events.publish("status", "{}");
  CHECK(client.ended());
}

}  // namespace graft::test
