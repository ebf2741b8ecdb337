#include "events/deliverer.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>

#include "async/cancelled.hpp"
#include "doubles/webhook_receiver.hpp"
#include "events/webhook_url.hpp"
#include "http/beast_transport.hpp"
#include "http/fake_transport.hpp"
#include "state/locked_store.hpp"
#include "state/store.hpp"
#include "support/run_coroutine.hpp"
#include "support/temporary_directory.hpp"

namespace graft::events {

namespace {

using doubles::WebhookReceiver;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

const std::string secret = "0123456789abcdef-secret";

class NoChance final : public Random {
 public:
  double unit() override { return 0; }
};

// Counts what is said, by its message.
class CountingLog final : public Log {
 public:
  void write(LogLevel, std::string_view message, const std::vector<LogField>&) override {
    ++said[std::string(message)];
  }
  std::map<std::string, int> said;
};

// A store whose disk can be full.
class FullStore final : public state::History {
 public:
  explicit FullStore(state::Store& store) : store_(store) {}
  Result<state::Recorded> record(const std::vector<state::Change>& changes, const std::vector<state::Event>& events,
                                 std::size_t keep_changes, std::size_t keep_events) override {
    return store_.record(changes, events, keep_changes, keep_events);
  }
  Result<std::vector<state::Change>> changes(const state::ChangeQuery& query) override { return store_.changes(query); }
  Result<std::vector<state::Event>> due_events(WallTime now, std::size_t limit) override {
    return store_.due_events(now, limit);
  }
  Status put_event_outcome(std::int64_t id, const std::optional<WallTime>& next_attempt, int attempts) override {
    if (full) return fail(ErrorCode::io, "the disk is full");
    return store_.put_event_outcome(id, next_attempt, attempts);
  }
  Result<std::size_t> drop_events(WallTime before) override { return store_.drop_events(before); }
  Result<state::PendingEvents> pending_events() override { return store_.pending_events(); }
  Result<std::uint64_t> next_cycle(std::uint64_t last) override { return store_.next_cycle(last); }
  bool full = false;

 private:
  state::Store& store_;
};

state::Event event_of(const std::string& uid, WallTime at) {
  state::Event event;
  event.uid = uid;
  event.at = event.next_attempt = at;
  event.type = "failure";
  event.body = fmt::format(R"({{"id":"{}"}})", uid);
  return event;
}

SigningKeys keys_of(const std::string& content) { return read_signing_keys(Secret(std::string(content))).value(); }

http::Endpoint endpoint_of(const std::string& url) {
  http::Endpoint endpoint;
  endpoint.url = url;
  endpoint.refuse_link_local = true;
  endpoint.status_suffices = true;
  endpoint.body_limit = 64 * 1024;
  return endpoint;
}

DelivererSettings settings_for(const std::string& target = "/hook") {
  DelivererSettings settings;
  settings.target = target;
  return settings;
}

// A deliverer on a fake transport or on real sockets, with a clock that stands still.
class Bench {
 public:
  explicit Bench(std::string url = {}, DelivererSettings settings = settings_for(),
                 std::unique_ptr<state::Store> kept = state::make_memory_store())
      : store(std::move(kept)), url_(std::move(url)), settings_(std::move(settings)) {
    restart();
  }

  // The next process: nothing is left but the store.
  void restart() {
    deliverer_.reset();
    transport_ = url_.empty() ? nullptr : http::make_beast_transport(endpoint_of(url_)).value();
    http::Transport& transport = transport_ ? *transport_ : fake;
    deliverer_ =
        std::make_unique<Deliverer>(history, transport, keys_of(secret), settings_, nullptr, clock, chance, log);
  }

  void record(const std::string& uid) { REQUIRE(store->record({}, {event_of(uid, clock.wall())}, 10, 1'000)); }
  Delivered deliver() { return test::run_on(context, deliverer_->deliver_due()); }
  std::size_t pending() { return store->pending_events().value().count; }
  Deliverer& deliverer() { return *deliverer_; }

  Texts tried() const {
    Texts out;
    for (const http::Request& request : fake.requests())
      for (const auto& [name, value] : request.headers)
        if (name == "X-Graftd-Delivery") out.push_back(value);
    return out;
  }

  asio::io_context context{1};
  ManualClock clock;
  NoChance chance;
  CountingLog log;
  std::unique_ptr<state::Store> store;
  FullStore history{*store};
  http::FakeTransport fake{[](const http::Request&) { return http::respond(200); }};

 private:
  std::string url_;
  DelivererSettings settings_;
  std::unique_ptr<http::Transport> transport_;
  std::unique_ptr<Deliverer> deliverer_;
};

http::FakeTransport::Handler always(int status) {
  return [status](const http::Request&) { return http::respond(status); };
}

}  // namespace

TEST_CASE("what is due is sent in order, signed, and forgotten") {
  Bench bench;
  for (int i = 0; i < 45; ++i) bench.record(std::to_string(i));
  CHECK(bench.deliver().delivered == 45);
  CHECK(bench.pending() == 0);
  Texts expected;
  for (int i = 0; i < 45; ++i) expected.push_back(std::to_string(i));
  CHECK(bench.tried() == expected);
  const http::Request& first = bench.fake.requests().front();
  CHECK(first.method == "POST");
  CHECK(first.target == "/hook");
  CHECK(first.body == R"({"id":"0"})");
  CHECK(first.timeout == 5s);
  CHECK(first.headers == headers_of(event_of("0", bench.clock.wall()), keys_of(secret), bench.clock.wall()));
  CHECK(bench.deliver().delivered == 0);
  CHECK(bench.deliverer().status().delivered == 45);
  CHECK(bench.deliverer().status().last_success == bench.clock.wall());
}

TEST_CASE("a receiver in trouble gets one event at a time, ever more rarely, and then all in order") {
  Bench bench;
  for (const std::string uid : {"a", "b", "c"}) bench.record(uid);
  bench.fake.answer_with(always(500));
  CHECK(bench.deliver().failed == 1);
  std::vector<int> waits;
  for (int attempt = 1; attempt < 12; ++attempt) {
    int waited = 0;
    while (bench.deliver().failed == 0) {
      bench.clock.advance(1s);
      ++waited;
      REQUIRE(waited <= 3'600);
    }
    waits.push_back(waited);
  }
  CHECK(waits == std::vector<int>{5, 10, 20, 40, 80, 160, 320, 640, 1'280, 2'560, 3'600});
  CHECK(bench.tried() == Texts(12, "a"));
  CHECK(bench.log.said["an event was not taken by the webhook; it is tried again"] == 1);
  CHECK(bench.deliverer().status().problem == "it answered with status 500");
  CHECK(bench.deliverer().status().failing_since.has_value());
  bench.fake.answer_with(always(204));
  bench.fake.forget_requests();
  bench.clock.advance(3'600s);
  CHECK(bench.deliver().delivered == 3);
  CHECK(bench.tried() == Texts{"a", "b", "c"});
  CHECK(bench.log.said["the webhook takes events again"] == 1);
  CHECK(bench.deliverer().status().problem.empty());
}

TEST_CASE("Retry-After keeps the receiver in peace for so long, whatever else is due") {
  Bench bench;
  bench.record("a");
  bench.fake.answer_with([](const http::Request&) { return http::respond(429, "", {{"Retry-After", "900"}}); });
  CHECK(bench.deliver().failed == 1);
  bench.record("b");
  bench.clock.advance(899s);
  const Delivered nothing = bench.deliver();
  CHECK(nothing.failed + nothing.delivered == 0);
  bench.fake.answer_with(always(200));
  bench.clock.advance(1s);
  CHECK(bench.deliver().delivered == 2);
  CHECK(bench.tried() == Texts{"a", "a", "b"});
}

TEST_CASE("an event that is not wanted holds up no other, and is tried again slower") {
  Bench bench;
  for (const std::string uid : {"a", "bad", "c"}) bench.record(uid);
  bench.fake.answer_with([](const http::Request& request) {
    return http::respond(request.body.find("bad") == std::string::npos ? 200 : 422);
  });
  const Delivered first = bench.deliver();
  CHECK(first.delivered == 2);
  CHECK(first.failed == 1);
  CHECK(bench.tried() == Texts{"a", "bad", "c"});
  bench.clock.advance(59s);
  CHECK(bench.deliver().failed == 0);
  bench.clock.advance(1s);
  CHECK(bench.deliver().failed == 1);
  bench.clock.advance(119s);
  CHECK(bench.deliver().failed == 0);
  bench.clock.advance(1s);
  CHECK(bench.deliver().failed == 1);
}

TEST_CASE("a receiver that is gone, refuses us or sends us elsewhere is asked again slowly, and given up after a day") {
  for (const int status : {410, 401, 403, 404, 302, 307}) {
    CAPTURE(status);
    Bench bench;
    bench.record("a");
    bench.record("b");
    bench.fake.answer_with([status](const http::Request&) {
      return http::respond(status, "", {{"Location", "http://127.0.0.1:1/elsewhere"}});
    });
    std::size_t failed = bench.deliver().failed, given_up = 0;
    int first_wait = 0;
    for (int minute = 1; minute <= 24 * 60; ++minute) {
      bench.clock.advance(60s);
      const Delivered out = bench.deliver();
      if (out.failed > 0 && first_wait == 0) first_wait = minute;
      failed += out.failed;
      given_up += out.given_up;
      CHECK(out.delivered == 0);
    }
    CHECK(first_wait == (status == 410 ? 60 : 1));
    CHECK(failed < 40);
    CHECK(given_up == 0);  // a day, and not less
    CHECK(bench.pending() == 2);
    bench.clock.advance(1s);
    CHECK(bench.deliver().given_up == 2);
    CHECK(bench.pending() == 0);
    CHECK(bench.log.said["events given up"] == 1);
    CHECK(bench.deliverer().status().given_up == 2);
    for (const std::string& line : bench.fake.lines()) CHECK(line == "POST /hook");
  }
}

TEST_CASE("an event whose delivery cannot be noted is not sent a second time by the same process") {
  Bench bench;
  bench.record("a");
  bench.record("b");
  bench.history.full = true;
  CHECK(bench.deliver().delivered == 1);
  for (int i = 0; i < 100; ++i) {
    bench.clock.advance(30s);
    CHECK(bench.deliver().delivered == 0);
  }
  CHECK(bench.tried() == Texts{"a"});
  bench.history.full = false;
  bench.clock.advance(60s);
  CHECK(bench.deliver().delivered == 1);
  CHECK(bench.tried() == Texts{"a", "b"});
  CHECK(bench.pending() == 0);
}

TEST_CASE("an event whose failure cannot be noted is not tried in a rush") {
  Bench bench;
  bench.record("a");
  bench.history.full = true;
  bench.fake.answer_with(always(400));
  CHECK(bench.deliver().failed == 1);
  bench.clock.advance(59s);
  CHECK(bench.deliver().failed == 0);
  bench.clock.advance(1s);
  CHECK(bench.deliver().failed == 1);
}

TEST_CASE("over sockets: taken once with the right signature, none with another secret") {
  WebhookReceiver receiver(secret);
  Bench bench(receiver.url());
  receiver.expect_time(bench.clock.wall().time_since_epoch().count());
  bench.record("a");
  bench.record("b");
  CHECK(bench.deliver().delivered == 2);
  CHECK(receiver.bodies() == Texts{R"({"id":"a"})", R"({"id":"b"})"});
  CHECK(receiver.taken()[0].delivery == "a");
  CHECK(receiver.taken()[0].type == "failure");
  CHECK(receiver.taken()[0].timestamp == bench.clock.wall().time_since_epoch().count());
  receiver.replace_secret("another-secret-0123456789");
  bench.record("c");
  CHECK(bench.deliver().failed == 1);
  CHECK(receiver.refused() == 1);
  bench.deliverer().use(keys_of("another-secret-0123456789\n" + secret));  // both, while it is replaced
  bench.clock.advance(60s);
  CHECK(bench.deliver().delivered == 1);
  receiver.replace_secret(secret);
  bench.record("d");
  CHECK(bench.deliver().delivered == 1);
  CHECK(receiver.taken().size() == 4);
}

TEST_CASE("over sockets: an answer that is lost makes a duplicate with the same delivery, also after a restart") {
  WebhookReceiver receiver(secret);
  Bench bench(receiver.url());
  bench.record("a");
  bench.record("b");
  receiver.drop_reply("POST");
  CHECK(bench.deliver().failed == 1);
  CHECK(bench.pending() == 2);
  bench.clock.advance(5s);
  bench.restart();
  CHECK(bench.deliver().delivered == 2);
  CHECK(receiver.taken().size() == 2);
  CHECK(receiver.seen() == std::map<std::string, int>{{"a", 2}, {"b", 1}});
}

TEST_CASE("over sockets: what was pending in the file is delivered by the next process") {
  test::TemporaryDirectory place;
  WebhookReceiver receiver(secret);
  const std::string url = receiver.url();
  const auto open = [&] { return state::open_store(place / "state", state::OpenMode::read_write).value().store; };
  {
    Bench bench(url, settings_for(), open());
    receiver.go_down();
    for (const std::string uid : {"a", "b", "c"}) bench.record(uid);
    CHECK(bench.deliver().failed == 1);
    receiver.come_back();
    receiver.answer_all_with(503);
    bench.clock.advance(5s);
    CHECK(bench.deliver().failed == 1);
  }
  receiver.answer_all_with(0);
  Bench bench(url, settings_for(), open());
  bench.clock.advance(60s);
  CHECK(bench.deliver().delivered == 3);
  CHECK(bench.pending() == 0);
  CHECK(receiver.bodies() == Texts{R"({"id":"a"})", R"({"id":"b"})", R"({"id":"c"})"});
}

TEST_CASE("over sockets: a redirect is not followed, and a receiver that stalls costs its time and no more") {
  WebhookReceiver elsewhere(secret), receiver(secret);
  DelivererSettings settings = settings_for();
  settings.timeout = 200ms;
  Bench bench(receiver.url(), settings);
  bench.record("a");
  receiver.answer_all_with(307, "Location: " + elsewhere.url() + "/hook");
  CHECK(bench.deliver().failed == 1);
  CHECK(elsewhere.log().empty());
  CHECK(bench.deliverer().status().problem == "it answered with status 307: redirects are not followed");
  receiver.answer_all_with(0);
  receiver.delay("POST", 1, 20s);
  bench.clock.advance(60s);
  CHECK(bench.deliver().failed == 1);
  CHECK(bench.deliverer().status().problem.find("did not end within 0.2 s") != std::string::npos);
  bench.clock.advance(60s);
  CHECK(bench.deliver().delivered == 1);
  CHECK(receiver.taken().size() == 1);
}

TEST_CASE("over sockets: a receiver that answers at length has taken the event all the same") {
  WebhookReceiver receiver(secret);
  doubles::Reply reply;
  reply.body = std::string(1'000'000, 'x');
  receiver.answer_with("POST", 1, reply);
  Bench bench(receiver.url());
  bench.record("a");
  CHECK(bench.deliver().delivered == 1);
  CHECK(bench.pending() == 0);
}

TEST_CASE("addresses of the metadata services are never connected to, whatever name leads there") {
  // The resolver reads these names as numbers of 169.254.169.254 and 0.0.0.0.
  for (const std::string host : {"169.254.169.254", "2852039166", "0xa9.0xfe.0xa9.0xfe", "[fe80::1]",
                                 "[::ffff:169.254.169.254]", "0", "224.0.0.1"}) {
    CAPTURE(host);
    Bench bench("http://" + host + ":9");
    bench.record("a");
    CHECK(bench.deliver().failed == 1);
    CHECK(bench.deliverer().status().problem.find("never connected to") != std::string::npos);
    CHECK(bench.pending() == 1);
  }
}

TEST_CASE("run() delivers when woken, and ends when cancelled, in the middle of an attempt too") {
  WebhookReceiver receiver(secret);
  Bench bench(receiver.url());
  const auto transport = http::make_beast_transport(endpoint_of(receiver.url())).value();
  asio::thread_pool disk(1);
  const auto store = state::make_locked_store(state::make_memory_store());
  Deliverer deliverer(*store, *transport, keys_of(secret), settings_for(), &disk, system_clock(), bench.chance,
                      bench.log);
  asio::cancellation_signal stop;
  std::exception_ptr end;
  bool ended = false;
  const auto keep = [&](std::exception_ptr failure) {
    end = failure;
    ended = true;
  };
  asio::co_spawn(bench.context, deliverer.run(), asio::bind_cancellation_slot(stop.slot(), keep));
  const auto run_until = [&](const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!condition() && std::chrono::steady_clock::now() < until) bench.context.run_one_for(10ms);
    REQUIRE(condition());
  };
  for (int i = 0; i < 3; ++i) {
    const std::string uid = std::to_string(i);
    REQUIRE(store->record({}, {event_of(uid, system_clock().wall())}, 10, 10));
    deliverer.wake();  // while it rests, or while it delivers
    run_until([&] { return deliverer.status().delivered == static_cast<std::uint64_t>(i + 1); });
    while (i > 0 && bench.context.run_one_for(100ms) > 0) {
    }  // nothing more to do: it rests
  }
  receiver.delay("POST", 1, 20s);
  receiver.forget_log();
  REQUIRE(store->record({}, {event_of("last", system_clock().wall())}, 10, 10));
  deliverer.wake();
  run_until([&] { return !receiver.log().empty(); });
  stop.emit(asio::cancellation_type::terminal);
  run_until([&] { return ended; });
  CHECK(async::is_cancellation(end));
  disk.join();
  CHECK(store->pending_events().value().count == 1);  // its answer was not read
  CHECK(deliverer.status().delivered == 3);
  CHECK(deliverer.status().failed == 0);  // being stopped is no failure of the receiver
}

}  // namespace graft::events
