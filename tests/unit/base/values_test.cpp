// Durations, times, digests, diagnostics and errors: small values with a text form each.
#include <array>
#include <doctest/doctest.h>
#include <memory>

#include "base/clock.hpp"
#include "base/diagnostics.hpp"
#include "base/duration.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"

namespace graft {

namespace {

using std::chrono::seconds;

Position at(std::shared_ptr<const std::string> file, unsigned line, unsigned column) {
  Position position;
  position.file = std::move(file);
  position.line = line;
  position.column = column;
  return position;
}

}  // namespace

TEST_CASE("durations are read as people write them and written back the same") {
  struct Row {
    std::string text;
    long count;
    const char* back;
  };
  for (const Row& row : {Row{"30d", 2'592'000, "30d"}, Row{"1h30m", 5'400, "1h30m"}, Row{"90s", 90, "1m30s"},
                         Row{"1w", 604'800, "7d"}, Row{"0s", 0, "0s"}, Row{"1d1h1m1s", 90'061, "1d1h1m1s"}}) {
    CAPTURE(row.text);
    const auto duration = parse_duration(row.text);
    REQUIRE(duration);
    CHECK(duration->count() == row.count);
    CHECK(format_duration(*duration) == row.back);
    CHECK(parse_duration(row.back).value() == *duration);
  }
  CHECK(format_duration(seconds(-90)) == "-1m30s");
}

TEST_CASE("what is no duration is refused with an example") {
  for (const std::string text : {"", "30", "d", "30 d", "-1d", "+1d", "1.5h", "250ms", "1m1h", "1d1d", "1D",
                                 "99999999999d", "4000000000d", "30days", " 30d", "30d ", "0x1d",
                                 "\xd9\xa3"
                                 "d"}) {
    CAPTURE(text);
    const auto duration = parse_duration(text);
    REQUIRE_FALSE(duration);
    CHECK(duration.error().code == ErrorCode::invalid);
    CHECK(duration.error().hint.find("30d") != std::string::npos);
  }
}

TEST_CASE("base64 there and back, for every length and every byte") {
  CHECK(base64("glsa_") == "Z2xzYV8=");
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    CHECK(base64_decode(base64(bytes)) == bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST_CASE("what is no base64 to the letter is refused") {
  for (const std::string text : {"Z2xzYV8", "Z2xzYV8==", "=", "====", "Z===", "Z2xz\n", "Z2xz\nYV8=", " Z2xzYV8=",
                                 "Z2xzYV8= ", "Z2xz-V8=", "Z2xz_V8=", "Z2==YV8=", "Z2xzYV9=", "Zh==", "Z2x\x80", "Z"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("RFC 3339 times are read in UTC to the second") {
  struct Row {
    std::string text;
    const char* in_utc;
  };
  for (const Row& row :
       {Row{"2026-11-24T06:29:53Z", "2026-11-24T06:29:53Z"},
        Row{"2026-11-24T06:29:53.999999999Z", "2026-11-24T06:29:53Z"},
        Row{"2026-11-24T08:29:53+02:00", "2026-11-24T06:29:53Z"},
        Row{"2026-11-23T23:29:53.5-07:00", "2026-11-24T06:29:53Z"}, Row{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
        Row{"1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"}, Row{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}}) {
    CAPTURE(row.text);
    const auto time = parse_rfc3339(row.text);
    REQUIRE(time);
    CHECK(format_rfc3339(*time) == row.in_utc);
  }
  for (const std::string text :
       {"", "2026-11-24", "2026-11-24T06:29:53", "2026-11-24 06:29", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-24T24:00:00Z", "2026-11-24T06:60:00Z", "2026-11-24T06:29:53+0200", "2026-11-24T06:29:53Zx",
        "2026-11-24T06:29:53.", "+026-11-24T06:29:53Z", "2026-11-24T06:29:-3Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("the Date header is read; its other historical forms are not") {
  CHECK(format_rfc3339(parse_http_date("Tue, 24 Nov 2026 06:29:53 GMT").value()) == "2026-11-24T06:29:53Z");
  for (const std::string text :
       {"", "Tue, 24 Nov 2026 06:29:53 CET", "Tue, 24 Foo 2026 06:29:53 GMT", "Tue, 31 Nov 2026 06:29:53 GMT",
        "Tuesday, 24-Nov-26 06:29:53 GMT", "Tue Nov 24 06:29:53 2026"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("a manual clock moves only when told") {
  ManualClock clock;
  const auto start = clock.wall();
  clock.advance(seconds(5));
  CHECK(clock.wall() - start == seconds(5));
  CHECK(clock.steady() - SteadyTime{} == seconds(5));
  clock.jump_wall(seconds(-100));
  CHECK(clock.wall() - start == seconds(-95));
  CHECK(clock.steady() - SteadyTime{} == seconds(5));
}

TEST_CASE("digests agree with their published vectors") {
  CHECK(crc32_ieee("123456789") == 0xcbf43926U);
  CHECK(crc32_ieee("") == 0U);
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(base64("admin:admin") == "YWRtaW46YWRtaW4=");
  CHECK(base64("").empty());
  CHECK(base64("fo") == "Zm8=");
  CHECK(sha256_base32("abc", 52).size() == 52);
  CHECK(sha256_base32("abc", 8) == sha256_base32("abc", 52).substr(0, 8));
  CHECK(sha256_base32("abc", 3) == "q9w");  // 10111 01001 11100 of ba78…
  CHECK(random_hex(16).size() == 32);
  CHECK(random_hex(16) != random_hex(16));
}

TEST_CASE("diagnostics come out by file and place with their hints, and count errors only") {
  const auto a = std::make_shared<const std::string>("a.yaml"), b = std::make_shared<const std::string>("b.yaml");
  Diagnostics list, more;
  list.error(at(b, 1, 1), "second file");
  list.warning(at(a, 3, 7), "unknown field", "did you mean \"role\"?");
  more.note(at(a, 3, 1), "noted");
  more.error({}, "no place");
  list.append(std::move(more));
  list.sort();
  CHECK(list.error_count() == 2);
  std::string text;
  for (const Diagnostic& item : list.items()) text += item.to_string() + "\n";
  CHECK(text ==
        "error: no place\na.yaml:3:1: note: noted\na.yaml:3:7: warning: unknown field (did you mean \"role\"?)\n"
        "b.yaml:1:1: error: second file\n");
}

TEST_CASE("an error keeps our words and the server's apart and shows both") {
  Error error = Error(ErrorCode::rejected, "cannot create")
                    .with_server_text("bad\nname")
                    .with_hint("rename it")
                    .context("org \"x\"");
  CHECK(error.describe() == "org \"x\": cannot create; the server said: bad name (rename it)");
  CHECK_FALSE(error.retryable);
  CHECK(Error(ErrorCode::unavailable, "x").retry().retryable);
  CHECK(Error(ErrorCode::rejected, "x").with_server_text(std::string(10'000, 'y')).server_text.size() < 600);
  const auto said = [](std::string_view text) {
    return Error(ErrorCode::rejected, "x").with_server_text(text).server_text;
  };
  CHECK(said(R"({"id":1,"key":"glsa_AbCdEf0123456789_0a1b2c3d"})") == R"({"id":1,"key":"glsa_***"})");
  CHECK(said("Authorization: Basic YWRtaW46c2VjcmV0 and Bearer glsa_AbCdEf0123456789") ==
        "Authorization: Basic *** and Bearer glsa_***");
  CHECK(said("invalid Basic auth") == "invalid Basic auth");
  CHECK(to_string(ErrorCode::timeout) == "timeout");
}

TEST_CASE("strong ids of one kind compare and hash by value") {
  static_assert(!std::is_convertible_v<OrgId, TokenId> && !std::is_constructible_v<OrgId, TokenId>);
  static_assert(!std::is_convertible_v<std::int64_t, OrgId>);
  CHECK(OrgId(2) > OrgId(1));
  CHECK(std::hash<OrgId>{}(OrgId(7)) == std::hash<OrgId>{}(OrgId(7)));
}

}  // namespace graft
