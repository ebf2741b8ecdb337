#include "http/beast_transport.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>
#include <future>
#include <mutex>

#include "async/deadline.hpp"
#include "async/task_group.hpp"
#include "support/run_coroutine.hpp"
#include "unit/http/raw_server.hpp"

namespace graft::http {

namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::RawServer;
using test::reply;

Endpoint endpoint_of(const std::string& url) {
  Endpoint endpoint;
  endpoint.url = url;
  endpoint.user_agent = "graftd/test";
  return endpoint;
}

// A transport and the loop it lives on.
class Client {
 public:
  explicit Client(const std::string& url) : Client(endpoint_of(url)) {}
  explicit Client(Endpoint endpoint) : transport_(make_beast_transport(std::move(endpoint)).value()) {}

  Result<Response> send(Request request) { return test::run_on(context, transport_->exchange(std::move(request))); }
  Transport& transport() { return *transport_; }

  asio::io_context context{1};

 private:
  std::unique_ptr<Transport> transport_;
};

Request get(std::string target = "/api/org") { return Request("GET", std::move(target)); }
Request post(std::string body = "{}") {
  Request request("POST", "/api/orgs");
  request.body = std::move(body);
  request.idempotent = false;
  return request;
}

// Serves every request of every connection by one function.
RawServer::Script always(std::function<std::string(const std::string&)> answer) {
  return [answer](RawConnection& connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request())
      connection.send(answer(request));
  };
}

// A connection that reads one request, sends some bytes, and ends.
RawServer::Script once(std::string bytes) {
  return [bytes](RawConnection& connection) {
    connection.read_request();
    connection.send(bytes);
  };
}

ErrorCode code_of(const Result<Response>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("a request arrives as written and the reply is given whole") {
  std::string seen;
  RawServer server(always([&](const std::string& request) {
    seen = request;
    return reply(R"({"id":1})", "201 Created", "X-Test: a\r\nContent-Type: application/json\r\n");
  }));
  Client client(server.url() + "/grafana/");
  Request request = post(R"({"name":"x"})");
  request.headers = {{"X-Grafana-Org-Id", "2"}, {"Authorization", "Basic c2VjcmV0"}};
  const auto response = client.send(std::move(request));
  REQUIRE(response);
  CHECK(response->status == 201);
  CHECK(response->body == R"({"id":1})");
  CHECK(response->header("x-test") == "a");
  CHECK(response->header("absent").empty());
  CHECK(seen == fmt::format("POST /grafana/api/orgs HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: graftd/test\r\n"
                            "X-Grafana-Org-Id: 2\r\nAuthorization: Basic c2VjcmV0\r\nContent-Length: 12\r\n\r\n"
                            R"({{"name":"x"}})",
                            server.port()));
}

TEST_CASE("every status is a Response: redirects are not followed, errors are not judged") {
  for (const std::string status :
       {"301 Moved", "302 Found", "307 Again", "401 No", "404 No", "412 No", "500 No", "502 Bad"}) {
    CAPTURE(status);
    RawServer server(
        always([&](const std::string&) { return reply("x", status, "Location: http://127.0.0.1:1/\r\n"); }));
    Client client(server.url());
    const auto response = client.send(get());
    REQUIRE(response);
    CHECK(response->status == std::stoi(status));
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("one connection serves request after request, bodies of any shape between") {
  int served = 0;
  RawServer server(always([&](const std::string&) -> std::string {
    switch (served++ % 5) {
      case 0:
        return reply("whole");
      case 1:
        return "HTTP/1.1 204 No Content\r\n\r\n";
      case 2:
        return "HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n";
      case 3:
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: "
               "t\r\n\r\n";
      default:
        return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply("after a hint");
    }
  }));
  Client client(server.url());
  std::string bodies;
  for (int i = 0; i < 15; ++i) {
    const auto response = client.send(i % 2 == 0 ? get() : post());
    REQUIRE(response);
    bodies += response->body + "|";
  }
  const std::string round = "whole|||abcde|after a hint|";
  CHECK(bodies == round + round + round);
  CHECK(server.connections() == 1);
}

TEST_CASE("HEAD replies have a length and no body") {
  RawServer server(always([](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"; }));
  Client client(server.url());
  for (int i = 0; i < 2; ++i) CHECK(client.send(Request("HEAD", "/")).value().body.empty());
  CHECK(server.connections() == 1);
}

TEST_CASE("a connection that the server ends after its reply, or said it would, is not used again") {
  for (const std::string header : {"", "Connection: close\r\n"}) {
    RawServer server([&](RawConnection& connection) {
      connection.read_request();
      connection.send(reply("x", "200 OK", header));
      if (header.empty()) return;
      connection.closed_by_client();
    });
    Client client(server.url());
    for (int i = 1; i <= 5; ++i) {
      REQUIRE(client.send(post()));
      // Give the end of the connection the time to arrive: only the peek before use can notice it.
      test::run_on(client.context, async::sleep_for(20ms));
      CHECK(server.connections() == i);
    }
  }
}

TEST_CASE("bytes that nobody asked for make a kept connection unusable") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.send(reply("first") + (connection.number() == 1 ? reply("smuggled") : ""));
    connection.read_request();
    connection.send(reply("second"));
  });
  Client client(server.url());
  CHECK(client.send(get()).value().body == "first");
  CHECK(client.send(get()).value().body == "first");
  CHECK(server.connections() == 2);
}

TEST_CASE("a kept connection that breaks before the reply: GET goes once more, POST is ambiguous") {
  for (const bool by_reset : {false, true}) {
    CAPTURE(by_reset);
    std::atomic<int> requests{0};
    RawServer server([&](RawConnection& connection) {
      connection.read_request();
      ++requests;
      connection.send(reply("first"));
      if (connection.read_request().empty()) return;
      ++requests;
      if (by_reset) connection.reset();
    });
    Client client(server.url());
    REQUIRE(client.send(get()));
    const auto again = client.send(get());
    REQUIRE(again);
    CHECK(requests == 3);
    CHECK(server.connections() == 2);
    CHECK(code_of(client.send(post())) == ErrorCode::ambiguous);
    CHECK(requests == 4);
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("a fresh connection that breaks is no reason to send again") {
  RawServer server(once(""));
  Client client(server.url());
  const auto result = client.send(get());
  CHECK(code_of(result) == ErrorCode::unavailable);
  CHECK(result.error().retryable);
  CHECK(server.connections() == 1);
}

TEST_CASE("a reply cut short at any byte is never a Response") {
  const std::string with_length = reply(R"({"uid":"abcdef"})");
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"uid\":\"abcdef\"}\r\n0\r\n\r\n";
  for (const std::string& whole : {with_length, chunked}) {
    std::size_t cut = 0;
    RawServer server([&](RawConnection& connection) {
      connection.read_request();
      connection.send(whole.substr(0, cut));
    });
    Client client(server.url());
    for (; cut < whole.size(); ++cut) {
      CAPTURE(cut);
      CHECK(code_of(client.send(post())) == ErrorCode::ambiguous);
      CHECK(code_of(client.send(get())) == ErrorCode::unavailable);
    }
    CHECK(client.send(post()).value().body == R"({"uid":"abcdef"})");
  }
}

TEST_CASE("a reply reset at any byte is never a Response either") {
  const std::string whole = reply("body");
  std::size_t cut = 0;
  RawServer server([&](RawConnection& connection) {
    connection.read_request();
    connection.send(whole.substr(0, cut));
    connection.reset();
  });
  Client client(server.url());
  for (; cut < whole.size(); ++cut) {
    CHECK(code_of(client.send(post())) == ErrorCode::ambiguous);
    CHECK(code_of(client.send(get())) == ErrorCode::unavailable);
  }
}

TEST_CASE("replies that are not HTTP, too large or without an end are errors of the protocol") {
  struct Row {
    std::string situation;
    std::string bytes;
    const char* part_of_text;
  };
  const std::vector<Row> rows{
      {"another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n", "not HTTP"},
      {"a page without a head", "<html><body>Login</body></html>\r\n\r\n", "not HTTP"},
      {"zeros", std::string(100, '\0'), "not HTTP"},
      {"a broken header", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not HTTP"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "not HTTP"},
      {"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "not HTTP"},
      {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP"},
      {"a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"},
      {"a length beyond the limit", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "larger than 1000 bytes"},
      {"chunks beyond the limit",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'),
       "larger than 1000 bytes"},
      {"a head beyond the limit", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'), "larger than 64 KiB"},
      {"no length", "HTTP/1.1 200 OK\r\n\r\nwho knows", "has no length"},
      {"an HTTPS port asked in HTTP",
       "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
       "Client sent an HTTP request to an HTTPS server."},
      {"only interim replies",
       [] {
         std::string hints;
         for (int i = 0; i < 9; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
         return hints;
       }(),
       "interim"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.situation);
    RawServer server(once(row.bytes));
    Endpoint endpoint = endpoint_of(server.url());
    endpoint.body_limit = 1000;
    Client client(endpoint);
    const auto result = client.send(get());
    CHECK(code_of(result) == ErrorCode::protocol);
    const std::string text = result.error().describe();
    CHECK_MESSAGE(text.find(row.part_of_text) != std::string::npos, text);
    CHECK(code_of(client.send(post())) == ErrorCode::ambiguous);
  }
}

TEST_CASE("a large body goes through in both directions") {
  const std::string megabyte(1'200'000, 'x');
  RawServer server(
      always([&](const std::string& request) { return reply(request.substr(request.find("\r\n\r\n") + 4)); }));
  Client client(server.url());
  CHECK(client.send(post(megabyte)).value().body == megabyte);
}

TEST_CASE("a refusal sent before the whole request was read is still seen") {
  RawServer server([](RawConnection& connection) {
    connection.send(reply("too large", "413 Payload Too Large", "Connection: close\r\n"));
    while (!connection.closed_by_client()) {
    }
  });
  Client client(server.url());
  CHECK(client.send(post(std::string(100'000, 'x'))).value().status == 413);
}

TEST_CASE("silence and dripping bytes run into the request's timeout") {
  for (const bool drips : {false, true}) {
    CAPTURE(drips);
    RawServer server([&](RawConnection& connection) {
      connection.read_request();
      const std::string whole = reply(std::string(400, 'x'));
      for (const char byte : whole) {
        if (!drips) break;
        connection.send(std::string(1, byte));
        std::this_thread::sleep_for(1ms);
      }
      connection.closed_by_client();
    });
    Client client(server.url());
    for (const bool idempotent : {true, false}) {
      Request request = idempotent ? get() : post();
      request.timeout = 150ms;
      const auto began = std::chrono::steady_clock::now();
      const auto result = client.send(std::move(request));
      CHECK(code_of(result) == (idempotent ? ErrorCode::timeout : ErrorCode::ambiguous));
      CHECK(result.error().retryable == idempotent);
      CHECK(std::chrono::steady_clock::now() - began < 5s);
    }
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("where nobody listens the error says what to check, and nothing was sent") {
  int port = 0;
  {
    port = RawServer([](RawConnection&) {}).port();
  }
  Client client(fmt::format("http://127.0.0.1:{}", port));
  const auto result = client.send(post());
  CHECK(code_of(result) == ErrorCode::unavailable);
  CHECK(result.error().retryable);
  CHECK(
      result.error().describe() ==
      fmt::format("POST http://127.0.0.1:{0}/api/orgs: cannot connect to 127.0.0.1:{0}: Connection refused (is Grafana "
                  "running there, and are host and port of grafana.url right?)",
                  port));
}

TEST_CASE("a host that has no address is unavailable") {
  Client client("http://does-not-exist.invalid:3000");
  const auto result = client.send(post());
  CHECK(code_of(result) == ErrorCode::unavailable);
  CHECK(result.error().message.find("cannot find the address of does-not-exist.invalid") != std::string::npos);
}

TEST_CASE("a cancelled exchange ends as cancelled and closes its connection") {
  std::promise<void> asked, closed;
  RawServer server([&](RawConnection& connection) {
    connection.read_request();
    asked.set_value();
    if (connection.closed_by_client()) closed.set_value();
  });
  Client client(server.url());
  asio::cancellation_signal stop;
  std::optional<Result<Response>> result;
  auto body = [&]() -> asio::awaitable<void> { result = co_await client.transport().exchange(post()); };
  asio::co_spawn(client.context, body(), asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
  auto was_asked = asked.get_future();
  while (was_asked.wait_for(0s) != std::future_status::ready) client.context.run_one_for(10ms);
  stop.emit(asio::cancellation_type::terminal);
  client.context.run();
  REQUIRE(result);
  CHECK(code_of(*result) == ErrorCode::cancelled);
  CHECK(closed.get_future().wait_for(5s) == std::future_status::ready);
}

TEST_CASE("requests side by side have a connection each; few are kept") {
  RawServer server(always([](const std::string&) {
    std::this_thread::sleep_for(5ms);
    return reply("x");
  }));
  Endpoint endpoint = endpoint_of(server.url());
  endpoint.max_idle = 2;
  Client client(endpoint);
  int good = 0;
  auto one = [&]() -> asio::awaitable<void> {
    const auto response = co_await client.transport().exchange(get());
    good += response && response->body == "x" ? 1 : 0;
  };
  auto all = [&]() -> asio::awaitable<void> {
    async::TaskGroup group(co_await asio::this_coro::executor);
    for (int i = 0; i < 10; ++i) group.spawn(one());
    co_await group.join();
  };
  test::run_on(client.context, all());
  CHECK(good == 10);
  CHECK(server.connections() == 10);
  for (int i = 0; i < 4; ++i) REQUIRE(client.send(get()));
  CHECK(server.connections() == 10);
}

TEST_CASE("a request that would break out of its line is refused before anything is sent") {
  RawServer server(always([](const std::string&) { return reply("x"); }));
  Client client(server.url());
  std::vector<Request> bad{Request("GET", "/a b"), Request("GET", "/a\r\nX: y"), Request("GET", "api"),
                           Request("GET", "/ä"),   Request("GE T", "/"),         Request("", "/")};
  for (Headers headers : {Headers{{"X-A\r\n", "v"}}, Headers{{"", "v"}}, Headers{{"X-A", "secret\r\nX-B: y"}}}) {
    bad.push_back(get());
    bad.back().headers = std::move(headers);
  }
  for (Request& request : bad) {
    const auto result = client.send(std::move(request));
    CHECK(code_of(result) == ErrorCode::invalid);
    CHECK(result.error().describe().find("secret") == std::string::npos);
  }
  CHECK(server.connections() == 0);
}

}  // namespace graft::http
