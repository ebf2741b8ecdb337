// A snapshot is one revision whole, however the manifests are published meanwhile. In one process, at the source
// itself.
#include <atomic>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <thread>

#include "homes/home.hpp"
#include "source/directory_source.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

source::Settle impatient() {
  source::Settle settle;
  settle.pause = milliseconds(1);
  settle.wait = [](milliseconds) { std::this_thread::yield(); };
  return settle;
}

// The number that all files of it carry; else what is wrong with it.
struct Read {
  int number = 0;
  std::string wrong;
};

Read look_at(const manifest::Files& files) {
  Read out;
  const auto entries = files.list("");
  if (!entries) return {0, entries.error().describe()};
  for (const auto& entry : *entries) {
    const auto text = files.read(entry.path, 100'000);
    const int number = text ? number_in(*text) : 0;
    if (out.number == 0) out.number = number;
    if (number == 0 || number != out.number)
      return {0, fmt::format("{} is of {}, not of {}", entry.path, number, out.number)};
  }
  if (!files.unreadable().empty()) return {0, files.unreadable().front().path + " " + files.unreadable().front().why};
  const Texts whole = revision(out.number);
  if (entries->size() != whole.size())
    return {0, fmt::format("{} of {} files of {}", entries->size(), whole.size(), out.number)};
  return out;
}

struct Counts {
  int whole = 0, different = 0, writing = 0;
};

constexpr int least_snapshots = 500, least_revisions = 30;
constexpr seconds longest{120};  // for a loaded machine

// Reads so often, or until something is wrong, while revisions are published with `pause` after each.
Counts read_while_published(Home& home, milliseconds pause) {
  std::atomic<bool> stop = false;
  std::atomic<int> last = 1;
  home.publish(revision(1));
  std::thread writer([&] {
    for (int number = 2; !stop; ++number) {
      home.publish(revision(number));
      last = number;
      std::this_thread::sleep_for(pause);
    }
  });
  Counts counts;
  int before = 0;
  std::string wrong;
  const auto until = steady_clock::now() + longest;
  const auto enough = [&] { return counts.whole >= least_snapshots && counts.different >= least_revisions; };
  while (!enough() && wrong.empty() && steady_clock::now() < until) {
    const auto files = source::snapshot(home.manifests(), impatient());
    if (!files) {
      ++counts.writing;
      if (files.error().code != ErrorCode::unavailable) wrong = files.error().describe();
      continue;
    }
    const Read read = look_at(**files);
    wrong = read.wrong;
    if (wrong.empty() && read.number < before) wrong = fmt::format("{} after {}", read.number, before);
    ++counts.whole;
    counts.different += read.number != before ? 1 : 0;
    before = read.number;
  }
  stop = true;
  writer.join();
  CHECK(wrong == "");
  CHECK(enough());
  const auto files = source::snapshot(home.manifests());
  REQUIRE(files.has_value());
  CHECK(look_at(**files).number == last);
  return counts;
}

}  // namespace

TEST_CASE("a ConfigMap or a git-sync link that is switched twenty times a second: every snapshot is one revision") {
  const TemporaryDirectory directory;
  for (const bool kubernetes : {true, false}) {
    CAPTURE(kubernetes);
    const auto home = kubernetes ? config_map(directory / "volume") : git_sync(directory / "sync");
    (void)read_while_published(*home, milliseconds(50));
  }
}

TEST_CASE("links switched as fast as it goes, the tree before removed slowly: no snapshot has a part of a tree") {
  const TemporaryDirectory directory;
  for (const bool kubernetes : {true, false}) {
    for (const microseconds slowly : {microseconds(0), microseconds(300)}) {
      CAPTURE(kubernetes);
      CAPTURE(slowly.count());
      const std::string name = fmt::format("{}-{}", kubernetes, slowly.count());
      const Removal removal{slowly};
      const auto home = kubernetes ? config_map(directory / name, removal) : git_sync(directory / name, removal);
      const Counts counts = read_while_published(*home, milliseconds(0));
      MESSAGE("snapshots: ", counts.whole, ", revisions: ", counts.different, ", given up: ", counts.writing);
    }
  }
}
