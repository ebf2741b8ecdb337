// A disk that fails at open, write, fsync, rename or close under the token directory, while a key is rotated (T03): the
// old key stays in force, no reader ever sees a part of a key, and no token is left that nobody can use.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "crash/stage.hpp"
#include "crash/tracer.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::seconds;

namespace {

// Reads a file some 10,000 times a second. Takes no memory while it runs: the process forks beside it.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)), thread_([this] { loop(); }) {
    while (reads_ == 0) std::this_thread::yield();
  }
  ~Reader() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }
  [[nodiscard]] std::uint64_t torn() const { return torn_; }  // neither a whole key nor the same as before

 private:
  void loop() {
    std::array<char, 256> buffer{};
    while (!stopping_) {
      const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
      const ssize_t size = file < 0 ? -1 : ::read(file, buffer.data(), buffer.size());
      if (file >= 0) ::close(file);
      constexpr ssize_t whole = 46;
      ++reads_;
      if (size != whole || buffer[0] != 'g' || buffer[37] != '_') ++torn_;
      ::usleep(50);
    }
  }

  std::string path_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> reads_{0}, torn_{0};
  std::thread thread_;
};

constexpr std::array steps{std::pair{Injection::Call::open, "open"},   std::pair{Injection::Call::write, "write"},
                           std::pair{Injection::Call::sync, "fsync"},  std::pair{Injection::Call::rename, "rename"},
                           std::pair{Injection::Call::close, "close"}, std::pair{Injection::Call::chmod, "chmod"}};

}  // namespace

TEST_CASE("errors at each step of a delivery, from each occurrence on") {
  std::uint64_t rounds = 0, failures = 0, reads = 0;
  for (const auto& [call, name] : steps) {
    for (const int error : {EIO, ENOSPC, EROFS, EACCES}) {
      CAPTURE(name);
      CAPTURE(error);
      for (std::uint64_t from = 1;; from += error == EIO ? 2 : 9) {
        CAPTURE(from);
        Stage stage(stories[1]);
        World& world = stage.world;
        const std::string old_key = world.key_file();
        Reader reader(world.directory / ("tokens/" + world.organization() + "/test-token"));
        const Injected injected = run_with_errors(stage.work(), {call, "tokens/", from, error});
        reader.stop();
        if (!injected.possible) return;
        reads += reader.reads();
        CHECK(reader.torn() == 0);
        CHECK(injected.exit_code <= 1);
        CHECK(world.key_status(old_key) == 200);
        CHECK(world.key_status(world.key_file()) == 200);
        if (injected.failed == 0) break;  // fewer calls of this kind than that
        ++rounds;
        failures += injected.failed;
        // A key that did not get there leaves no token behind; one that did is one of two. Where not even reading works
        // (open), it is not known which, and the token lives until the next cycle has looked.
        const std::size_t tokens = world.tokens().size();
        if (call == Injection::Call::open) {
          CHECK(tokens <= 2);
        } else {
          CHECK(tokens == (world.key_file() == old_key ? 1 : 2));
        }
        stage.check_recovery();
      }
    }
  }
  MESSAGE(rounds, " rounds, ", failures, " failed calls, ", reads, " reads beside them");
  CHECK(rounds > 40);
  CHECK(reads > 10'000);
}
