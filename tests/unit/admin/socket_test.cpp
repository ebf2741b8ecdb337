// The Unix socket: its file, its trust, and our own client of it.
#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "admin/client.hpp"
#include "support/process.hpp"
#include "unit/admin/endpoint.hpp"

namespace graft::test {

namespace {

using std::chrono::milliseconds;

admin::ServerSettings on(const std::string& path) {
  admin::ServerSettings settings;
  settings.socket = path;
  settings.token_file = "none";
  return settings;
}

Result<std::unique_ptr<admin::Server>> make(boost::asio::io_context& io, const std::string& path) {
  static admin::Broadcast events;
  admin::ServerSettings settings;
  settings.socket = path;
  return admin::Server::make(io, settings, {}, events, nullptr, null_log());
}

bool there(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

// What a server that was killed leaves.
void leave_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(dead);
}

admin::Call call_of(const std::string& method, const std::string& target, const std::string& body = "") {
  admin::Call out;
  out.method = method;
  out.target = target;
  out.body = body;
  return out;
}

}  // namespace

TEST_CASE("the socket is ours alone from its first moment, whatever the umask, and gone after the stop") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  const mode_t before = ::umask(0);
  {
    Endpoint endpoint(on(path));
    CHECK(::umask(0) == 0);
    struct stat info{};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    CHECK(S_ISSOCK(info.st_mode));
    CHECK((info.st_mode & 07777U) == 0600U);
    endpoint.stop();
    CHECK_FALSE(there(path));
  }
  ::umask(before);
}

TEST_CASE("a stale socket is replaced, a live one and anything else is left alone") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  leave_socket(path);
  Endpoint endpoint(on(path));
  CHECK(admin::call(path, call_of("GET", "/-/healthy"))->body == "ok\n");
  boost::asio::io_context io;
  const auto second = make(io, path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::io);
  CHECK(second.error().describe().find("another graftd") != std::string::npos);
  CHECK(admin::call(path, call_of("GET", "/-/healthy"))->body == "ok\n");
  files.write("a-file", "precious");
  CHECK(make(io, files / "a-file").error().code == ErrorCode::io);
  CHECK(files.read("a-file") == "precious");
  CHECK(make(io, files / std::string(200, 'x')).error().code == ErrorCode::invalid);
  CHECK(make(io, files / "no-folder/admin.sock").error().code == ErrorCode::io);
}

TEST_CASE("a socket that another server has put in our place is not removed") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  Endpoint endpoint(on(path));
  ::unlink(path.c_str());
  leave_socket(path);
  endpoint.stop();
  CHECK(there(path));
}

TEST_CASE("on the socket everything is trusted, by any name; the wire is as strict as elsewhere") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  Endpoint endpoint(on(path));
  const auto status = [&](const std::string& bytes) {
    RawClient client(path);
    client.send(bytes);
    return client.reply().status;
  };
  CHECK(status("GET /doc HTTP/1.1\r\n\r\n") == 200);
  CHECK(status("GET /doc HTTP/1.1\r\nHost: any.thing\r\nOrigin: null\r\n\r\n") == 200);
  CHECK(status(post("/change", "Content-Type: application/json\r\n", "{}")) == 200);
  CHECK(status(post("/change", "Content-Type: text/plain\r\n", "{}")) == 415);
  CHECK(status("GET /doc HTTP/1.1\n\n") == 400);
  CHECK(status(get("/doc", "Host: localhost\r\n")) == 400);
  CHECK(admin::call(path, call_of("GET", "/trusted"))->body == "yes");
  CHECK(ask(endpoint.port(), post("/change", right_token, "{}")).status == 403);
  CHECK(endpoint.changes == 1);
}

TEST_CASE("our client asks, changes and says what is wrong") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  Endpoint endpoint(on(path));
  const auto doc = admin::call(path, call_of("GET", "/doc?a=1"));
  REQUIRE(doc);
  CHECK(doc->status == 200);
  CHECK(doc->content_type == "application/json");
  CHECK(doc->body == "a=1;");
  CHECK(admin::call(path, call_of("POST", "/change", "{\"a\":1}"))->body == "7");
  CHECK(admin::call(path, call_of("GET", "/nothing"))->status == 404);
  CHECK(admin::call(path, call_of("HEAD", "/doc"))->status == 200);
  CHECK(admin::call(path, call_of("GET", "/big"))->body.size() == std::size_t{64} << 20U);
  admin::Call waits = call_of("GET", "/wait");
  waits.timeout = milliseconds(100);
  CHECK(admin::call(path, waits).error().code == ErrorCode::timeout);
  CHECK(admin::call(files / "absent", call_of("GET", "/")).error().code == ErrorCode::unavailable);
  CHECK(admin::call(std::string(200, 'x'), call_of("GET", "/")).error().code == ErrorCode::invalid);
}

TEST_CASE("our client follows the stream until it has enough, and tells its end from its silence") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  admin::ServerSettings settings = on(path);
  settings.limits.comment_period = milliseconds(50);
  Endpoint endpoint(settings);
  endpoint.events.publish("a", "{\"n\":1}");
  const std::uint64_t id = endpoint.events.newest();
  std::string seen;
  const auto take = [&](const admin::StreamedEvent& event) {
    seen += std::to_string(event.id - id) + " " + event.name + " " + event.data + "\n";
    if (event.name == "a") endpoint.events.publish("b", "two\nlines");
    return event.name != "b";
  };
  CHECK(admin::follow(path, "/events", take, id - 1));
  CHECK(seen == "0 a {\"n\":1}\n1 b two\nlines\n");
  const auto never = [](const admin::StreamedEvent&) { return true; };
  const Status refused = admin::follow(path, "/nothing", never);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::rejected);
  CHECK(refused.error().http_status == 404);
  std::thread stopper([&] {
    test_support::eventually([&] { return endpoint.counted().find("/events 200", 13) != std::string::npos; });
    endpoint.stop();
  });
  const Status ended = admin::follow(path, "/events", never);
  stopper.join();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == ErrorCode::unavailable);
}

TEST_CASE("a stream that says nothing at all for too long is given up") {
  TemporaryDirectory files;
  const std::string path = files / "admin.sock";
  Endpoint endpoint(on(path));
  const Status silent =
      admin::follow(path, "/events", [](const auto&) { return true; }, std::nullopt, milliseconds(100));
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::timeout);
}

}  // namespace graft::test
