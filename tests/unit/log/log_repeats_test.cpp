// Repeats are counted, never lost, and never cost much memory.
#include "daemon/log_repeats.hpp"

#include <doctest/doctest.h>
#include <string>

namespace graft::daemon {

namespace {

using namespace std::chrono_literals;

const SteadyTime t0{1h};
const std::vector<LogField> fields{{"org", "apiorg"}, {"err", "HTTP 502"}};

}  // namespace

TEST_CASE("the first is written; those within the minute are counted and come as one") {
  RepeatLimiter limiter;
  CHECK(limiter.admit(LogLevel::error, "failed", fields, t0).write);
  for (int second = 1; second <= 9; ++second)
    CHECK_FALSE(limiter.admit(LogLevel::error, "failed", fields, t0 + std::chrono::seconds(second)).write);
  CHECK(limiter.due(t0 + 59s).empty());
  const auto lines = limiter.due(t0 + 60s);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].times == 9);
  CHECK(lines[0].level == LogLevel::error);
  CHECK(lines[0].message == "failed");
  CHECK(lines[0].fields == std::vector<std::pair<std::string, std::string>>{{"org", "apiorg"}, {"err", "HTTP 502"}});
}

TEST_CASE("a trouble that lasts is one line a minute, and none of its times is lost") {
  RepeatLimiter limiter;
  std::size_t lines = 0, times = 0;
  for (int second = 0; second < 600; second += 2) {
    const SteadyTime now = t0 + std::chrono::seconds(second);
    for (const RepeatedLine& line : limiter.due(now)) lines += 1, times += line.times;
    const auto admission = limiter.admit(LogLevel::warning, "failed", fields, now);
    if (admission.write) lines += 1, times += admission.times;
  }
  for (const RepeatedLine& line : limiter.drain()) lines += 1, times += line.times;
  CHECK(times == 300);
  CHECK(lines >= 10);
  CHECK(lines <= 11);
}

TEST_CASE("when nobody asks for what is due, the next one carries the count") {
  RepeatLimiter limiter;
  (void)limiter.admit(LogLevel::error, "failed", fields, t0);
  (void)limiter.admit(LogLevel::error, "failed", fields, t0 + 1s);
  (void)limiter.admit(LogLevel::error, "failed", fields, t0 + 2s);
  const auto next = limiter.admit(LogLevel::error, "failed", fields, t0 + 61s);
  CHECK(next.write);
  CHECK(next.times == 3);
  CHECK(limiter.due(t0 + 62s).empty());
}

TEST_CASE("a trouble that was over for a minute is new again") {
  RepeatLimiter limiter;
  (void)limiter.admit(LogLevel::error, "failed", fields, t0);
  CHECK(limiter.due(t0 + 60s).empty());
  const auto again = limiter.admit(LogLevel::error, "failed", fields, t0 + 61s);
  CHECK(again.write);
  CHECK(again.times == 1);
}

TEST_CASE("what differs in level, message or a field is another trouble; how long it took makes no difference") {
  RepeatLimiter limiter;
  const auto written = [&](LogLevel level, std::string_view message, const std::vector<LogField>& with) {
    return limiter.admit(level, message, with, t0).write;
  };
  CHECK(written(LogLevel::error, "failed", {{"name", "a"}, {"ms", "1"}}));
  CHECK(written(LogLevel::warning, "failed", {{"name", "a"}}));
  CHECK(written(LogLevel::error, "broken", {{"name", "a"}}));
  CHECK(written(LogLevel::error, "failed", {{"name", "b"}}));
  CHECK(written(LogLevel::error, "failed", {{"org", "a"}}));
  CHECK(written(LogLevel::error, "failed", {{"name", "a b=c"}}));
  CHECK(written(LogLevel::error, "failed", {{"name", "a"}, {"b", "c"}}));
  CHECK(written(LogLevel::error, "failed", {{"at", "x.yaml:1:1"}, {"problem", "unknown field"}}));
  CHECK(written(LogLevel::error, "failed", {{"at", "x.yaml:2:1"}, {"problem", "unknown field"}}));
  CHECK_FALSE(written(LogLevel::error, "failed", {{"name", "a"}, {"ms", "2"}}));
  CHECK_FALSE(written(LogLevel::error, "failed", {{"name", "a"}, {"cycle", "8"}, {"attempt", "2"}}));
}

TEST_CASE("debug and info are never counted instead of written") {
  RepeatLimiter limiter;
  for (int i = 0; i < 3; ++i) {
    CHECK(limiter.admit(LogLevel::info, "cycle done", fields, t0).write);
    CHECK(limiter.admit(LogLevel::debug, "asked", fields, t0).write);
  }
  CHECK(limiter.drain().empty());
}

TEST_CASE("memory is bounded: the oldest is written and forgotten, no first is swallowed, long values are cut") {
  RepeatLimiter limiter;
  const auto admit = [&](int number, SteadyTime now) {
    return limiter.admit(LogLevel::error, "failed", {{"name", std::to_string(number) + std::string(5'000, 'x')}}, now);
  };
  const int limit = static_cast<int>(remembered_lines);
  for (int i = 0; i < limit; ++i) REQUIRE(admit(i, t0 + std::chrono::milliseconds(i)).write);
  CHECK_FALSE(admit(0, t0 + 2s).write);
  const auto one_more = admit(limit, t0 + 3s);
  CHECK(one_more.write);
  REQUIRE(one_more.displaced.size() == 1);
  CHECK(one_more.displaced[0].times == 1);
  CHECK(one_more.displaced[0].fields[0].second.starts_with("0xxx"));
  CHECK(one_more.displaced[0].fields[0].second.size() < 400);
  const auto another = admit(limit + 1, t0 + 3s);
  CHECK(another.write);
  CHECK(another.displaced.empty());  // 1 had no repeats to tell of
  CHECK(admit(0, t0 + 4s).write);    // forgotten, so it is a first again
  CHECK_FALSE(admit(500, t0 + 4s).write);
  CHECK(limiter.drain().size() == 1);
}

}  // namespace graft::daemon
