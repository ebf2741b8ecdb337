#include "git/git_source.hpp"

#include <algorithm>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::git {

namespace {

// While nothing is in force at all, waiting for the interval gains nothing.
constexpr std::chrono::seconds impatient{10};
constexpr std::size_t name_digits = 16;

bool same(const std::optional<Error>& one, const std::optional<Error>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return one->describe() == other->describe();
}

}  // namespace

std::string copy_directory(const std::string& state_directory, const Repository& repository) {
  const std::string name = sha256_hex(repository.url + "\n" + repository.ref).substr(0, name_digits);
  return state_directory + "/git/" + name;
}

struct GitSource::Impl {
  GitSourceOptions options;
  Descriptor stop{::eventfd(0, EFD_CLOEXEC)};
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  Seen seen;
  std::string commit;                     // of seen.files
  std::uint64_t wanted = 1, fetched = 0;  // numbers of fetches: that somebody waits for, that have ended
  bool stopping = false, accepting = false;
  bool soon = false;  // the next fetch is due, but nobody waits for it
  std::thread thread;

  explicit Impl(GitSourceOptions given)
      : options(std::move(given)), accepting(options.accept), thread([this] { run(); }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    constexpr std::uint64_t one = 1;
    (void)!::write(stop.get(), &one, sizeof one);
    changed.notify_all();
    thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Job job(bool fetch) const {
    return {options.repository, copy_directory(options.state_directory, options.repository), fetch, accepting, commit};
  }

  void run() {
    if (options.remember) remember();
    std::unique_lock lock(mutex);
    while (!stopping) {
      const std::uint64_t number = wanted;
      soon = false;
      const Job todo = job(options.fetch);
      lock.unlock();
      Seen fresh = look(todo);
      lock.lock();
      const bool news = take(std::move(fresh));
      fetched = number;
      changed.notify_all();
      if (news && options.on_news && !stopping) {
        lock.unlock();
        options.on_news();
        lock.lock();
      }
      wait(lock);
    }
  }

  // With the lock. True when it is something new.
  bool take(Seen fresh) {
    const bool news = fresh.files != seen.files || !same(fresh.problem, seen.problem);
    if (!news) return false;
    fresh.version = seen.version + 1;
    seen = std::move(fresh);
    return true;
  }

  // What was in force when we were last running is there at once, however long the server may take.
  void remember() {
    std::unique_lock lock(mutex);
    const Job todo = job(false);
    lock.unlock();
    Result<Reply> reply = run_child(todo, this_program, stop.get());
    if (!reply || !reply->content) return;
    Seen fresh;
    fresh.files = fresh.before = made(std::move(*reply));
    lock.lock();
    (void)take(std::move(fresh));
  }

  std::shared_ptr<const manifest::Files> made(Reply reply) {
    commit = reply.commit;
    return source::make_memory_files({}, commit, std::move(*reply.content));
  }

  void wait(std::unique_lock<std::mutex>& lock) {
    const auto asked = [this] { return stopping || wanted > fetched || soon; };
    if (!options.poll) return changed.wait(lock, asked);
    const auto pause = seen.files ? options.poll_interval : std::min(options.poll_interval, impatient);
    changed.wait_for(lock, pause, asked);
  }

  // Without the lock: only this thread writes `commit` and `seen`.
  Seen look(const Job& todo) {
    Seen fresh = seen;
    fresh.problem.reset();
    Result<Reply> reply = run_child(todo, this_program, stop.get());
    if (!reply) {
      fresh.problem = std::move(reply.error());
      return fresh;
    }
    fresh.problem = std::move(reply->problem);
    if (reply->content) fresh.files = made(std::move(*reply));
    if (!fresh.files && !fresh.problem)
      fresh.problem = Error(ErrorCode::unavailable, fmt::format("{} was never fetched", quote(options.repository.url)))
                          .with_hint("a running graftd fetches it")
                          .retry();
    return fresh;
  }
};

GitSource::GitSource(GitSourceOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
GitSource::~GitSource() = default;

GitSource::Seen GitSource::seen() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}

void GitSource::take_into_use() {
  const std::lock_guard lock(impl_->mutex);
  if (std::exchange(impl_->accepting, true)) return;
  impl_->soon = true;
  impl_->changed.notify_all();
}

void GitSource::ask() {
  const std::lock_guard lock(impl_->mutex);
  // One that is under way may have looked before what the asker wants to see was there.
  ++impl_->wanted;
  impl_->changed.notify_all();
}

bool GitSource::settled() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->fetched >= impl_->wanted;
}

void GitSource::wait_until_settled() const {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->fetched >= impl_->wanted; });
}

const GitSourceOptions& GitSource::options() const { return impl_->options; }

}  // namespace graft::git
