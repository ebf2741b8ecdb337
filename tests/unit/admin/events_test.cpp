#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

#include "admin/broadcast.hpp"
#include "base/clock.hpp"
#include "support/process.hpp"
#include "unit/admin/endpoint.hpp"

namespace graft::test {

namespace {

using admin::Broadcast;
using std::chrono::milliseconds;
using test_support::eventually;

std::string names(const std::vector<Broadcast::Event>& events) {
  std::string out;
  for (const Broadcast::Event& event : events) out += event.name + " ";
  return out;
}

RawClient listen(Endpoint& endpoint, const std::string& target = "/events", const std::string& more = "") {
  RawClient client(endpoint.port());
  client.send(get(target, more));
  REQUIRE(client.read_until(": begins\n\n").find("Content-Type: text/event-stream\r\n") != std::string::npos);
  return client;
}

std::string text_of(std::uint64_t id, const std::string& name, const std::string& data) {
  return "id: " + std::to_string(id) + "\nevent: " + name + "\ndata: " + data + "\n\n";
}

}  // namespace

TEST_CASE("who was away gets what came since; who was away too long, or comes from elsewhere, is told so") {
  Broadcast events(1000);
  CHECK(names(events.since(1000)) == "");
  CHECK(names(events.since(999)) == "lost ");
  CHECK(names(events.since(1001)) == "lost ");
  events.publish("a", "{}");
  events.publish("b", "{}");
  CHECK(events.newest() == 1002);
  CHECK(names(events.since(1000)) == "a b ");
  CHECK(names(events.since(1001)) == "b ");
  CHECK(names(events.since(1002)) == "");
  CHECK(names(events.since(0)) == "lost a b ");
  const auto stranger = events.since(5000);
  REQUIRE(names(stranger) == "lost ");
  CHECK(stranger[0].id == 1002);  // from where it goes on
  for (std::size_t i = 0; i < Broadcast::kept; ++i) events.publish("c", "{}");
  CHECK(events.since(1001)[0].name == "lost");
  CHECK(events.since(1001).size() == Broadcast::kept + 1);
  CHECK(events.since(1002).size() == Broadcast::kept);
  CHECK(events.since(1002)[0].id == 1003);
}

TEST_CASE("ids of an earlier process are older than those of this one") {
  const auto micros = [](WallTime time) {
    return static_cast<std::uint64_t>(std::chrono::microseconds(time.time_since_epoch()).count());
  };
  const Broadcast events;
  CHECK(events.newest() >= micros(system_clock().wall() - std::chrono::seconds(60)));
  CHECK(names(events.since(micros(system_clock().wall() - std::chrono::hours(1)))) == "lost ");
}

TEST_CASE("who is forgotten is not woken, others are") {
  Broadcast events;
  int first = 0, second = 0;
  const auto number = events.on_publish([&] { ++first; });
  static_cast<void>(events.on_publish([&] { ++second; }));
  events.publish("a", "{}");
  events.forget(number);
  events.publish("a", "{}");
  CHECK(first == 1);
  CHECK(second == 2);
}

TEST_CASE("a stream begins with now, and each event arrives as it is published by another thread") {
  Endpoint endpoint;
  endpoint.events.publish("old", "{}");
  RawClient client = listen(endpoint);
  for (int i = 0; i < 3; ++i) {
    endpoint.events.publish("status", "{\"n\":" + std::to_string(i) + "}");
    CHECK(client.read_until("\n\n") ==
          text_of(endpoint.events.newest(), "status", "{\"n\":" + std::to_string(i) + "}"));
  }
  endpoint.events.publish("two", "a\nid: 7\rb");
  CHECK(client.read_until("\n\n") == text_of(endpoint.events.newest(), "two", "a\ndata: id: 7\ndata: b"));
  CHECK(eventually([&] { return endpoint.counted() == "/events 200\n"; }));
}

TEST_CASE("a stream resumes after the id of its header, or of its query") {
  Endpoint endpoint;
  endpoint.events.publish("a", "{}");
  const std::uint64_t id = endpoint.events.newest();
  endpoint.events.publish("b", "{}");
  endpoint.events.publish("c", "{}");
  const std::string expected = text_of(id + 1, "b", "{}") + text_of(id + 2, "c", "{}");
  RawClient by_header = listen(endpoint, "/events", "Last-Event-ID: " + std::to_string(id) + "\r\n");
  CHECK(by_header.read_until("c\ndata: {}\n\n") == expected);
  RawClient by_query = listen(endpoint, "/events?lastEventId=" + std::to_string(id));
  CHECK(by_query.read_until("c\ndata: {}\n\n") == expected);
}

TEST_CASE("an id that is too old, too new or no number begins with `lost`, and the stream goes on") {
  Endpoint endpoint;
  for (std::size_t i = 0; i < 300; ++i) endpoint.events.publish("a", "{}");
  const std::uint64_t newest = endpoint.events.newest();
  for (const std::string& last :
       {std::to_string(newest - 299), std::to_string(newest + 1000), std::string("nonsense")}) {
    CAPTURE(last);
    RawClient client = listen(endpoint, "/events", "Last-Event-ID: " + last + "\r\n");
    CHECK(client.read_until("\n\n").find("event: lost\n") != std::string::npos);
    endpoint.events.publish("end", "{}");
    CHECK(client.read_until("event: end\ndata: {}\n\n").ends_with("event: end\ndata: {}\n\n"));
  }
}

TEST_CASE("a quiet stream is kept alive by comments") {
  admin::ServerSettings settings;
  settings.limits.comment_period = milliseconds(50);
  settings.limits.header_timeout = settings.limits.idle_timeout = milliseconds(60);  // of no concern here
  Endpoint endpoint(settings);
  RawClient client = listen(endpoint);
  for (int i = 0; i < 3; ++i) CHECK(client.read_until("\n\n") == ": still here\n\n");
  endpoint.events.publish("a", "{}");
  CHECK(client.read_until("data: {}\n\n").ends_with(text_of(endpoint.events.newest(), "a", "{}")));
}

TEST_CASE("streams have a limit of their own; one that has ended makes room at once") {
  admin::ServerSettings settings;
  settings.limits.streams = 2;
  settings.limits.connections = 2;
  Endpoint endpoint(settings);
  std::vector<RawClient> streams;
  for (int i = 0; i < 2; ++i) streams.push_back(listen(endpoint));
  const RawReply third = ask(endpoint.port(), get("/events"));
  CHECK(third.status == 503);
  CHECK(third.header("retry-after") == "5");
  CHECK(ask(endpoint.port(), get("/-/healthy")).status == 200);
  streams.pop_back();
  CHECK(eventually([&] {
    RawClient client(endpoint.port());
    client.send(get("/events"));
    return client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200");
  }));
  endpoint.events.publish("a", "{}");
  CHECK(streams[0].read_until("\n\n").find("event: a") != std::string::npos);
}

TEST_CASE("a listener that does not read is closed; the publisher and other listeners do not notice") {
  admin::ServerSettings settings;
  settings.limits.write_timeout = milliseconds(300);
  settings.limits.streams = 2;
  Endpoint endpoint(settings);
  RawClient slow = listen(endpoint), quick = listen(endpoint);
  const std::string data(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    endpoint.events.publish("big", data);
    REQUIRE(quick.read_until("\n\n").size() > data.size());
  }
  // Its place is free again, which is how the server says that it has closed it.
  CHECK(eventually([&] {
    RawClient client(endpoint.port());
    client.send(get("/events"));
    return client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200");
  }));
  CHECK(slow.ended());
}

TEST_CASE("many threads publish while listeners come and go") {
  Endpoint endpoint;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) endpoint.events.publish("n", "{}");
    });
  for (int i = 0; i < 10; ++i) static_cast<void>(listen(endpoint));
  for (std::thread& thread : threads) thread.join();
  RawClient client =
      listen(endpoint, "/events", "Last-Event-ID: " + std::to_string(endpoint.events.newest() - 3) + "\r\n");
  const std::uint64_t newest = endpoint.events.newest();
  CHECK(client.read_until(text_of(newest, "n", "{}")) ==
        text_of(newest - 2, "n", "{}") + text_of(newest - 1, "n", "{}") + text_of(newest, "n", "{}"));
}

}  // namespace graft::test
