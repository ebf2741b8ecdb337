// The stand-in for the manager says what a manager would have got: the messages, whole and in their order.
#include "supervise/notifier.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <vector>

#include "support/notify_socket.hpp"
#include "support/temporary_directory.hpp"

namespace graft::supervise {

namespace {

using namespace std::chrono_literals;
using test_support::NotifySocket;

std::string abstract_address() { return "@graftd-test-" + std::to_string(::getpid()); }

struct Variable {
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

long long monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

TEST_CASE("every message arrives whole and in order, at a path and in the abstract namespace") {
  const test::TemporaryDirectory directory;
  for (const std::string& address : {directory / "notify", abstract_address()}) {
    CAPTURE(address);
    NotifySocket manager(address);
    const Notifier notifier(address);
    REQUIRE(notifier.active());
    notifier.ready();
    notifier.status("214 resources are as declared");
    notifier.watchdog();
    notifier.extend_timeout(20s);
    notifier.stopping();
    CHECK(manager.rest() == std::vector<std::string>{"READY=1", "STATUS=214 resources are as declared", "WATCHDOG=1",
                                                     "EXTEND_TIMEOUT_USEC=20000000", "STOPPING=1"});
    CHECK(manager.sender() == ::getpid());
  }
}

TEST_CASE("reloading names the moment, in the same message and by the manager's clock") {
  NotifySocket manager(abstract_address());
  const Notifier notifier(manager.address());
  const long long before = monotonic_now();
  notifier.reloading();
  const std::string message = manager.next(1s).value_or("");
  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(message.starts_with(start));
  const long long said = std::stoll(message.substr(start.size()));
  CHECK(said >= before);
  CHECK(said <= monotonic_now());
  CHECK(manager.rest().empty());
}

TEST_CASE("a status is one line of at most 200 bytes, whatever it holds") {
  NotifySocket manager(abstract_address());
  const Notifier notifier(manager.address());
  notifier.status("done\nREADY=1\x1b[31m\xff");
  CHECK(manager.next(1s) == "STATUS=done READY=1?[31m?");
  notifier.status(std::string(5'000, 'x'));
  CHECK(manager.next(1s) == "STATUS=" + std::string(200, 'x') + "...");
}

TEST_CASE("what is sent is what sd_notify() of libsystemd sends") {
  NotifySocket manager(abstract_address());
  const Notifier notifier(manager.address());
  const Variable variable("NOTIFY_SOCKET", manager.address());
  struct Row {
    const char* theirs;
    std::function<void()> ours;
  };
  const std::vector<Row> rows{{"READY=1", [&] { notifier.ready(); }},
                              {"STOPPING=1", [&] { notifier.stopping(); }},
                              {"WATCHDOG=1", [&] { notifier.watchdog(); }},
                              {"STATUS=x", [&] { notifier.status("x"); }}};
  for (const Row& row : rows) {
    REQUIRE(::sd_notify(0, row.theirs) == 1);
    const auto theirs = manager.next(1s);
    row.ours();
    CHECK(manager.next(1s) == theirs);
  }
}

TEST_CASE("the address leaves the environment, so that no child can speak for us") {
  NotifySocket manager(abstract_address());
  ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
  const Notifier notifier = Notifier::from_environment();
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  notifier.ready();
  CHECK(manager.next(1s) == "READY=1");
}

TEST_CASE("without a manager, or with an address that is none, nothing is done") {
  ::unsetenv("NOTIFY_SOCKET");
  const Notifier absent = Notifier::from_environment();
  CHECK_FALSE(absent.active());
  absent.ready();
  for (const std::string& address : {std::string(), std::string("relative"), std::string("@"), std::string("/"),
                                     "/" + std::string(200, 'x'), std::string("vsock:2:1234")}) {
    CAPTURE(address);
    CHECK_FALSE(Notifier(address).active());
  }
  Notifier("/nobody/listens/here").ready();
}

TEST_CASE("a manager that went away and came back at its address is told again") {
  const test::TemporaryDirectory directory;
  const Notifier notifier(directory / "notify");
  {
    const NotifySocket first(directory / "notify");
  }
  notifier.watchdog();
  NotifySocket second(directory / "notify");
  notifier.watchdog();
  CHECK(second.rest() == std::vector<std::string>{"WATCHDOG=1"});
}

TEST_CASE("a manager that does not read holds us for a moment only") {
  const NotifySocket manager(abstract_address());
  const Notifier notifier(manager.address());
  const long long before = monotonic_now();
  for (int i = 0; i < 3; ++i) notifier.ready();
  // The queue of the socket is full after some hundred messages at most; from then on each costs the limit.
  const long long until = before + 5'000'000;
  int sent = 0;
  long long longest = 0;
  while (longest < 500'000 && monotonic_now() < until) {
    const long long begun = monotonic_now();
    notifier.watchdog();
    longest = std::max(longest, monotonic_now() - begun);
    ++sent;
  }
  CAPTURE(sent);
  CHECK(longest >= 500'000);    // it did fill up …
  CHECK(longest < 30'000'000);  // … and let us go
}

TEST_CASE("the watchdog's interval is there for the process that it is meant for") {
  const Variable interval("WATCHDOG_USEC", "60000000");
  {
    const Variable pid("WATCHDOG_PID", std::to_string(::getpid()));
    CHECK(watchdog_interval() == 60s);
    CHECK(watchdog_interval() == 60s);  // asking does not take it away
  }
  {
    const Variable pid("WATCHDOG_PID", "1");
    CHECK_FALSE(watchdog_interval().has_value());
  }
  CHECK(watchdog_interval() == 60s);  // for everybody
}

TEST_CASE("a watchdog's interval that is missing or nonsense is none") {
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
  CHECK_FALSE(watchdog_interval().has_value());
  for (const char* text : {"", "0", "soon", "-5"}) {
    CAPTURE(std::string(text));
    const Variable interval("WATCHDOG_USEC", text);
    CHECK_FALSE(watchdog_interval().has_value());
  }
}

}  // namespace graft::supervise
