// The forms of a line, and that no value can forge one.
#include "daemon/log_format.hpp"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "daemon/log_target.hpp"
#include "support/temporary_directory.hpp"

namespace graft::daemon {

namespace {

using namespace std::chrono_literals;

const WallTime moment = *parse_rfc3339("2026-11-24T06:29:53Z");
const std::vector<LogField> no_fields;

const std::array hostile{
    std::string("x\nlevel=error msg=forged"),
    std::string("x\r\x1b[2K\x1b]0;title\x07"),
    std::string("\x1b[31mred"),
    std::string("broken \xff\xfe UTF-8 \xc3"),
    std::string("\xc2\x9b[31m and \xe2\x80\xa8 line"),  // CSI as one character; a line end of Unicode
    std::string("nul \0 byte", 10),
    std::string("\" msg=forged level=\\"),
    std::string(100'000, '='),
};

}  // namespace

TEST_CASE("a line in each form, with and without the time") {
  const std::vector<LogField> fields{{"revision", "a1b2c3"}, {"err", "no \"way\""}, {"empty", ""}};
  const LogLine line{LogLevel::warning, "cycle done", fields, moment};
  CHECK(format_logfmt(line) ==
        R"(ts=2026-11-24T06:29:53Z level=warning msg="cycle done" revision=a1b2c3 err="no \"way\"" empty="")");
  CHECK(format_json(line) == R"({"ts":"2026-11-24T06:29:53Z","level":"warning","msg":"cycle done","revision":"a1b2c3",)"
                             R"("err":"no \"way\"","empty":""})");
  CHECK(format_terminal(line, false, 3600s) ==
        R"(07:29:53 warn  cycle done revision=a1b2c3 err="no \"way\"" empty="")");

  const LogLine timeless{LogLevel::info, "started", no_fields};
  CHECK(format_logfmt(timeless) == "level=info msg=started");
  CHECK(format_json(timeless) == R"({"level":"info","msg":"started"})");
  CHECK(format_terminal(timeless, false, 0s) == "info  started");
}

TEST_CASE("colours say the level, dim says what is secondary, and every colour ends on its line") {
  const std::vector<LogField> fields{{"a", "b"}};
  CHECK(format_terminal({LogLevel::error, "broken", fields, moment}, true, 0s) ==
        "\x1b[2m06:29:53\x1b[0m \x1b[1;31merror\x1b[0m broken\x1b[2m a=b\x1b[0m");
  CHECK(format_terminal({LogLevel::info, "well", no_fields, moment}, true, -7h) ==
        "\x1b[2m23:29:53\x1b[0m \x1b[32minfo \x1b[0m well");
}

TEST_CASE("hostile values stay values: one line, sound UTF-8, nothing that a terminal obeys, bounded") {
  for (const std::string& value : hostile) {
    CAPTURE(value.substr(0, 60));
    const std::vector<LogField> fields{{"before", "1"}, {"value", value}, {"after", "2"}};
    for (const bool in_message : {false, true}) {
      const LogLine line{LogLevel::info, in_message ? std::string_view(value) : "message", fields, moment};
      for (const std::string& text : {format_logfmt(line), format_json(line), format_terminal(line, false, 0s)}) {
        CHECK_FALSE(has_control_characters(text));
        CHECK_FALSE(invalid_utf8(text).has_value());
        CHECK(text.size() < 12'000);
      }
      const auto json = nlohmann::json::parse(format_json(line));
      CHECK(json.size() == 6);
      CHECK(json.at("level") == "info");
      CHECK(json.at("after") == "2");
      const std::string logfmt = format_logfmt(line);
      CHECK(logfmt.starts_with("ts=2026-11-24T06:29:53Z level=info msg="));
      CHECK(logfmt.ends_with(" after=2"));
    }
  }
}

TEST_CASE("a line with too much in it ends with how much was left out") {
  const std::vector<LogField> fields(30, LogField{"k", std::string(1'900, 'x')});
  const LogLine line{LogLevel::info, "much", fields, moment};
  for (const std::string& text : {format_logfmt(line), format_json(line), format_terminal(line, false, 0s)})
    CHECK(text.size() < 20'000);
  CHECK(format_logfmt(line).ends_with(" left_out=21"));
  CHECK(nlohmann::json::parse(format_json(line)).at("left_out") == "21");
}

TEST_CASE("the journal's priorities are those of syslog") {
  CHECK(journal_prefix(LogLevel::debug) == "<7>");
  CHECK(journal_prefix(LogLevel::info) == "<6>");
  CHECK(journal_prefix(LogLevel::warning) == "<4>");
  CHECK(journal_prefix(LogLevel::error) == "<3>");
}

TEST_CASE("the journal is known by device and inode, not by the variable alone") {
  const test::TemporaryDirectory directory;
  directory.write("stream", "");
  std::FILE* file = std::fopen((directory / "stream").c_str(), "w");
  REQUIRE(file != nullptr);
  struct stat status{};
  REQUIRE(::fstat(::fileno(file), &status) == 0);
  const std::string right = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  CHECK(log_target(::fileno(file), {right, "xterm", false}).kind == LogTarget::Kind::journal);
  for (const std::string& other : {std::string(), std::string("1:2"), right + "0", std::string("nonsense")})
    CHECK(log_target(::fileno(file), {other, "xterm", false}).kind == LogTarget::Kind::lines);
  std::fclose(file);
  CHECK(log_target(-1, {right, "xterm", false}).kind == LogTarget::Kind::lines);
}

}  // namespace graft::daemon
