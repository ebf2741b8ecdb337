#include "http/dialer.hpp"

#include <doctest/doctest.h>

#include "http/beast_transport.hpp"
#include "support/run_coroutine.hpp"
#include "unit/http/raw_server.hpp"

namespace graft::http {

namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::RawServer;

Result<Response> send(Endpoint endpoint, std::chrono::milliseconds timeout = 10s) {
  asio::io_context context(1);
  const auto transport = make_beast_transport(std::move(endpoint)).value();
  Request request("POST", "/hook");
  request.timeout = timeout;
  return test::run_on(context, transport->exchange(std::move(request)));
}

Endpoint endpoint_of(const std::string& url) {
  Endpoint endpoint;
  endpoint.url = url;
  return endpoint;
}

Endpoint careful(const std::string& url) {
  Endpoint endpoint = endpoint_of(url);
  endpoint.refuse_link_local = true;
  return endpoint;
}

Endpoint easy(const std::string& url) {
  Endpoint endpoint = endpoint_of(url);
  endpoint.status_suffices = true;
  endpoint.body_limit = 100;
  return endpoint;
}

RawServer::Script answer(const std::string& bytes, bool stay = false) {
  return [bytes, stay](RawConnection& connection) {
    connection.read_request();
    connection.send(bytes);
    if (stay) connection.closed_by_client();
  };
}

}  // namespace

TEST_CASE("addresses that no remote service has, in every form in which they are written") {
  for (const char* refused :
       {"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "100.100.100.200",
        "fe80::1", "fe80::1%1", "febf::1", "ff02::1", "::", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
        "::ffff:224.0.0.1", "::169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1"}) {
    CAPTURE(std::string(refused));
    CHECK(is_link_local(asio::ip::make_address(refused)));
  }
  for (const char* fine : {"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.253.255.255", "169.255.0.1", "100.64.0.1",
                           "223.255.255.255", "8.8.8.8", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fd00::1",
                           "fec0::1", "2001:db8::1", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(std::string(fine));
    CHECK_FALSE(is_link_local(asio::ip::make_address(fine)));
  }
}

TEST_CASE("with refuse_link_local no connection is made to such an address, but to the loopback one") {
  RawServer server(answer(test::reply("ok")));
  CHECK(send(careful(server.url()))->status == 200);
  const std::string port = ":" + std::to_string(server.port());
  // 0.0.0.0 leads to this very machine: without the option it is reached, under any of its names.
  for (const std::string host : {"0.0.0.0", "0", "0x0.0.0.0"}) {
    CAPTURE(host);
    const int before = server.connections();
    const auto refused = send(careful("http://" + host + port));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::blocked);
    CHECK(refused.error().message.find("0.0.0.0, which is never connected to") != std::string::npos);
    CHECK(server.connections() == before);
    CHECK(send(endpoint_of("http://" + host + port))->status == 200);
    CHECK(server.connections() == before + 1);
  }
}

TEST_CASE("with status_suffices a reply counts by its head; without it, only when it is whole") {
  struct Row {
    std::string situation, bytes;
  };
  for (const Row& row : std::vector<Row>{
           {"no length", "HTTP/1.0 200 OK\r\n\r\nfine"},
           {"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nfine"},
           {"a broken chunk", "HTTP/1.1 202 Taken\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
           {"larger than allowed", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'x')},
       }) {
    CAPTURE(row.situation);
    RawServer server(answer(row.bytes));
    const auto reply = send(easy(server.url()));
    REQUIRE_MESSAGE(reply, reply.error().describe());
    CHECK(reply->status / 100 == 2);
    CHECK(server.connections() == 1);
    Endpoint strict = easy(server.url());
    strict.status_suffices = false;
    CHECK_FALSE(send(strict));
  }
}

TEST_CASE("with status_suffices a body that never comes costs the time of the exchange, and the reply still counts") {
  RawServer server(answer("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", true));
  const auto reply = send(easy(server.url()), 200ms);
  REQUIRE_MESSAGE(reply, reply.error().describe());
  CHECK(reply->status == 200);
  RawServer mute(answer("", true));
  CHECK(send(easy(mute.url()), 200ms).error().code == ErrorCode::timeout);
}

}  // namespace graft::http
