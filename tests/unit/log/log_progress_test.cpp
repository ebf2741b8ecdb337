// The live line: what it says, how often it is drawn, and that it never takes more than its line.
#include "daemon/log_progress.hpp"

#include <doctest/doctest.h>
#include <string>

#include "base/text.hpp"

namespace graft::daemon {

namespace {

using namespace std::chrono_literals;

const SteadyTime t0{1h};

Progress organizations(std::size_t done) { return {"organizations", done, 2'000, 41.3, 20s}; }

}  // namespace

TEST_CASE("progress says how far, of what, how fast and how long yet") {
  struct Row {
    Progress progress;
    std::string text;
  };
  const std::vector<Row> rows{
      {organizations(1'200), "[############--------] 1,200/2,000 organizations, 41/s, 20 s left"},
      {{"resources", 0, 10, {}, {}}, "[--------------------] 0/10 resources"},
      {{"resources", 10, 10, 9.96, 0s}, "[####################] 10/10 resources, 10.0/s, 0 s left"},
      {{"resources", 12, 10, {}, {}}, "[####################] 12/10 resources"},  // more turned up
      {{"requests", 1'234'567, 0, 3.25, {}}, "1,234,567 requests, 3.2/s"},        // nobody knows how many
      {{"", 1, 2, {}, 99s}, "[##########----------] 1/2, 99 s left"},
      {{"", 1, 2, {}, 150s}, "[##########----------] 1/2, 3 min left"},
      {{"", 1, 2, {}, 7200s}, "[##########----------] 1/2, 2 h left"},
      {{"", 1, 2, {}, -5s}, "[##########----------] 1/2, 0 s left"},
      {{"a\x1b[31m\nb", 1, 2, {}, {}}, "[##########----------] 1/2 a?[31m b"},
  };
  for (const Row& row : rows) CHECK(render_progress(row.progress, 120) == row.text);
}

TEST_CASE("progress never reaches the last column, whatever the width; the least important goes first") {
  for (std::size_t width = 0; width <= 100; ++width) {
    CAPTURE(width);
    CHECK(render_progress(organizations(1'200), width).size() < std::max<std::size_t>(width, 1));
  }
  CHECK(render_progress(organizations(1'200), 60) == "[############--------] 1,200/2,000 organizations, 41/s");
  CHECK(render_progress(organizations(1'200), 40) == "[############--------] 1,200/2,000");
  CHECK(render_progress(organizations(1'200), 30) == "1,200/2,000 organizations");
  CHECK(render_progress(organizations(1'200), 12) == "1,200/2,000");
  CHECK(render_progress(organizations(1'200), 11).empty());
}

TEST_CASE("the line is drawn at most five times a second, and the last state is not lost") {
  ProgressLine line;
  CHECK_FALSE(line.wants_drawing(t0));
  int drawn = 0;
  for (int i = 0; i < 100; ++i) {  // one second
    const SteadyTime now = t0 + i * 10ms;
    line.set(organizations(static_cast<std::size_t>(i)));
    if (!line.wants_drawing(now)) continue;
    CHECK_FALSE(line.draw(now, 80).empty());
    ++drawn;
  }
  CHECK(drawn == 5);
  CHECK(line.wants_drawing(t0 + 1001ms));  // 99 is still to be shown
  CHECK(line.draw(t0 + 1001ms, 80).find("99/2,000") != std::string::npos);
  CHECK_FALSE(line.wants_drawing(t0 + 2s));  // nothing new
}

TEST_CASE("the line is erased only when it is there, and not drawn after its end") {
  ProgressLine line;
  CHECK(line.erase().empty());
  line.set(organizations(1));
  CHECK(line.erase().empty());
  (void)line.draw(t0, 80);
  CHECK(line.erase() == "\r\x1b[2K");
  CHECK(line.erase().empty());
  line.end();
  CHECK(line.draw(t0, 80).empty());
  CHECK_FALSE(line.wants_drawing(t0 + 1h));
}

}  // namespace graft::daemon
