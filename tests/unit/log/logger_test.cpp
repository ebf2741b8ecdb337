// The logger as its readers see it: a pipe, the journal, a terminal.
#include "daemon/logger.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pty.h>
#include <sstream>
#include <string>
#include <sys/ioctl.h>
#include <termios.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace graft::daemon {

namespace {

using namespace std::chrono_literals;

const std::string ts = "ts=2027-01-15T08:00:00Z ";  // where a ManualClock begins

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(ends_) == 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int in() const { return ends_[1]; }
  // What was written since the last call.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::string all;
    char data[4096];
    pollfd ready{ends_[0], POLLIN, 0};
    while (::poll(&ready, 1, 0) == 1) all.append(data, static_cast<std::size_t>(::read(ends_[0], data, sizeof(data))));
    std::istringstream stream(all);
    std::vector<std::string> out;
    for (std::string line; std::getline(stream, line);) out.push_back(line);
    return out;
  }

 private:
  int ends_[2]{};
};

// Moves by milliseconds, which ManualClock does not.
class FineClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return WallTime{1'800'000'000s}; }
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime{1h + std::chrono::milliseconds(now)}; }
  std::atomic<int> now{0};
};

// A terminal of 60 columns: the slave is the logger's, the master is what a screen would get.
class Terminal {
 public:
  Terminal() {
    winsize size{24, 60, 0, 0};
    REQUIRE(::openpty(&master_, &slave_, nullptr, nullptr, &size) == 0);
    reader_ = std::thread([this] { read_all(); });
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (reader_.joinable()) (void)finish();
    ::close(master_);
  }
  [[nodiscard]] int slave() const { return slave_; }
  // Everything that came, after the last writer is gone.
  std::string finish() {
    ::close(slave_);
    reader_.join();
    return received_;
  }

 private:
  void read_all() {
    char data[4096];
    for (ssize_t length = 0; (length = ::read(master_, data, sizeof(data))) > 0;)
      received_.append(data, static_cast<std::size_t>(length));
  }

  int master_ = -1, slave_ = -1;
  std::thread reader_;
  std::string received_;
};

// What a screen shows in the end: the few commands that we send are carried out; any other one fails the test.
std::vector<std::string> screen(const std::string& stream) {
  std::vector<std::string> rows{""};
  std::size_t column = 0;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    if (stream.compare(i, 4, "\x1b[2K") == 0) {
      rows.back().clear();
      i += 3;
    } else if (stream[i] == '\r') {
      column = 0;
    } else if (stream[i] == '\n') {
      rows.emplace_back();
    } else {
      REQUIRE(stream[i] != '\x1b');
      REQUIRE(column < 60);  // it would wrap
      rows.back().resize(std::max(rows.back().size(), column), ' ');
      rows.back().replace(column, 1, 1, stream[i]);
      ++column;
    }
  }
  return rows;
}

LoggerOptions options(int descriptor, LogTarget target = {}) { return {"info", "logfmt", descriptor, target}; }

}  // namespace

TEST_CASE("lines: logfmt with the time; level and format can change at any moment") {
  const Pipe pipe;
  ManualClock clock;
  const auto logger = make_logger(options(pipe.in()), clock);
  logger->debug("not shown");
  logger->info("cycle done", {{"ms", "12"}});
  logger->set_level("debug");
  logger->debug("shown");
  logger->set_level("error");
  logger->warning("not shown");
  logger->set_format("json");
  logger->error("broken", {{"err", "x"}});
  logger->set_level("nonsense");  // as the settings' default
  logger->set_format("logfmt");
  logger->info("back");
  CHECK(pipe.lines() ==
        std::vector<std::string>{ts + "level=info msg=\"cycle done\" ms=12", ts + "level=debug msg=shown",
                                 R"({"ts":"2027-01-15T08:00:00Z","level":"error","msg":"broken","err":"x"})",
                                 ts + "level=info msg=back"});
}

TEST_CASE("the journal gets a priority and no time, in both formats") {
  const Pipe pipe;
  ManualClock clock;
  const auto logger = make_logger(options(pipe.in(), {LogTarget::Kind::journal, false}), clock);
  logger->warning("slow");
  logger->set_format("json");
  logger->error("broken");
  CHECK(pipe.lines() ==
        std::vector<std::string>{"<4>level=warning msg=slow", R"(<3>{"level":"error","msg":"broken"})"});
}

TEST_CASE("the cycle in force is on every line, from any thread, and only once") {
  const Pipe pipe;
  ManualClock clock;
  const auto logger = make_logger(options(pipe.in()), clock);
  logger->info("before");
  {
    const CycleContext cycle(logger->context(), 17);
    logger->info("within");
    std::thread([&] { logger->info("elsewhere"); }).join();
    logger->info("own", {{"cycle", "3"}});
  }
  logger->info("after");
  CHECK(pipe.lines() == std::vector<std::string>{ts + "level=info msg=before", ts + "level=info msg=within cycle=17",
                                                 ts + "level=info msg=elsewhere cycle=17",
                                                 ts + "level=info msg=own cycle=3", ts + "level=info msg=after"});
}

TEST_CASE("a trouble that comes again is one line a minute; what happens every cycle is always written") {
  const Pipe pipe;
  ManualClock clock;
  auto logger = make_logger(options(pipe.in()), clock);
  for (int i = 0; i < 5; ++i) {
    logger->error("cycle stopped", {{"err", "HTTP 502"}});
    logger->info("cycle done");
  }
  CHECK(pipe.lines().size() == 6);
  clock.advance(59s);
  logger->tick();
  CHECK(pipe.lines().empty());
  clock.advance(1s);
  logger->tick();
  CHECK(pipe.lines() == std::vector<std::string>{
                            "ts=2027-01-15T08:01:00Z level=error msg=\"cycle stopped\" err=\"HTTP 502\" repeated=4"});
  logger->error("cycle stopped", {{"err", "HTTP 502"}});
  logger->error("cycle stopped", {{"err", "HTTP 502"}});
  CHECK(pipe.lines().empty());
  logger.reset();  // nothing is lost at the end
  CHECK(pipe.lines().size() == 1);
}

TEST_CASE("without a tick, the next line of any kind brings what is due; the next of its kind brings its count") {
  const Pipe pipe;
  ManualClock clock;
  const auto logger = make_logger(options(pipe.in()), clock);
  for (int i = 0; i < 3; ++i) logger->warning("a"), logger->warning("b");
  (void)pipe.lines();
  clock.advance(60s);
  logger->warning("a");
  const std::string later = "ts=2027-01-15T08:01:00Z level=warning ";
  CHECK(pipe.lines() == std::vector<std::string>{later + "msg=b repeated=2", later + "msg=a repeated=3"});
}

TEST_CASE("every event that passes the level is counted, written or not") {
  const Pipe pipe;
  ManualClock clock;
  const auto logger = make_logger(options(pipe.in()), clock);
  std::map<LogLevel, int> counts;
  logger->on_line([&](LogLevel level) { ++counts[level]; });
  logger->debug("not let through");
  logger->info("one");
  for (int i = 0; i < 3; ++i) logger->error("again");
  clock.advance(61s);
  logger->tick();  // the line that counts is no event
  CHECK(counts == std::map<LogLevel, int>{{LogLevel::info, 1}, {LogLevel::error, 3}});
  logger->on_line(nullptr);
  logger->info("nobody is told");
  CHECK(counts[LogLevel::info] == 1);
}

TEST_CASE("a pipe never gets progress") {
  const Pipe pipe;
  FineClock clock;
  const auto logger = make_logger(options(pipe.in()), clock);
  logger->show({"organizations", 1, 2, {}, {}});
  logger->info("one");
  clock.now = 1000;
  logger->tick();
  logger->end_progress();
  CHECK(pipe.lines() == std::vector<std::string>{ts + "level=info msg=one"});
}

TEST_CASE("a terminal is one that is a terminal and can erase; NO_COLOR takes the colours alone") {
  const Terminal terminal;
  const auto seen = [&](const LogEnvironment& environment) { return log_target(terminal.slave(), environment); };
  CHECK(seen({"", "xterm", false}).kind == LogTarget::Kind::terminal);
  CHECK(seen({"", "xterm", false}).colour);
  CHECK(seen({"", "xterm", true}).kind == LogTarget::Kind::terminal);
  CHECK_FALSE(seen({"", "xterm", true}).colour);
  CHECK(seen({"", "dumb", false}).kind == LogTarget::Kind::lines);
  CHECK(seen({"", "", false}).kind == LogTarget::Kind::lines);
  CHECK(terminal_width(terminal.slave()) == 60);
  const Pipe pipe;
  CHECK(log_target(pipe.in(), {"", "xterm", false}).kind == LogTarget::Kind::lines);
  CHECK(terminal_width(pipe.in()) == 80);
}

TEST_CASE("a terminal shows progress below the log, erased before each line and gone in the end") {
  Terminal terminal;
  FineClock clock;
  auto logger = make_logger(options(terminal.slave(), log_target(terminal.slave(), {"", "xterm", true})), clock);
  logger->info("started");
  logger->show({"resources", 1, 4, {}, {}});
  logger->info("made a folder", {{"name", "ops"}});
  logger->show({"resources", 2, 4, {}, {}});  // too soon
  clock.now = 250;
  logger->tick();
  const std::string with_progress = "[##########----------] 2/4 resources";
  logger->error("broken");
  logger->end_progress();
  logger->info("done");
  logger.reset();
  const std::string stream = terminal.finish();
  CHECK(stream.find("[#####---------------] 1/4 resources") != std::string::npos);
  CHECK(stream.find(with_progress) != std::string::npos);
  std::vector<std::string> rows = screen(stream);
  REQUIRE(rows.size() == 5);
  const auto after_time = [](const std::string& row) { return row.size() > 9 ? row.substr(9) : row; };
  CHECK(after_time(rows[0]) == "info  started");
  CHECK(after_time(rows[1]) == "info  made a folder name=ops");
  CHECK(after_time(rows[2]) == "error broken");
  CHECK(after_time(rows[3]) == "info  done");
  CHECK(rows[4].empty());
  // While it was shown it was the last row.
  CHECK(screen(stream.substr(0, stream.rfind(with_progress) + with_progress.size())).back() == with_progress);
}

TEST_CASE("lines of several threads and progress never mix on a terminal") {
  Terminal terminal;
  FineClock clock;
  auto logger = make_logger(options(terminal.slave(), log_target(terminal.slave(), {"", "xterm", true})), clock);
  constexpr int threads = 3, lines = 200;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t)
    writers.emplace_back([&logger, t] {
      for (int i = 0; i < lines; ++i) logger->info("writer", {{"t", std::to_string(t)}, {"i", std::to_string(i)}});
    });
  for (int i = 0; i < lines; ++i) {
    clock.now += 100;
    logger->show({"resources", static_cast<std::size_t>(i), lines, 12.5, 3s});
  }
  for (std::thread& writer : writers) writer.join();
  logger.reset();
  std::vector<std::string> rows = screen(terminal.finish());
  REQUIRE(rows.size() == threads * lines + 1);
  CHECK(rows.back().empty());
  rows.pop_back();
  std::map<std::string, int> next;
  for (const std::string& row : rows) {
    const std::size_t t = row.find("t="), i = row.find(" i=");
    REQUIRE(row.substr(9, t - 9) == "info  writer ");
    const std::string writer = row.substr(t + 2, i - t - 2);
    REQUIRE(row.substr(i + 3) == std::to_string(next[writer]++));
  }
}

TEST_CASE("a reader that has gone away does no harm") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[1]);
  ManualClock clock;
  const auto logger = make_logger(options(ends[1]), clock);  // a descriptor that is closed
  logger->error("nobody reads");
  ::close(ends[0]);
}

}  // namespace graft::daemon
