#include "events/deliverer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <utility>

#include "async/offload.hpp"

namespace graft::events {

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds wait_for_the_disk{60};

std::string problem_of(const Result<http::Response>& reply) {
  if (!reply) return reply.error().message;  // its hint speaks of Grafana
  if (reply->status >= 300 && reply->status < 400)
    return fmt::format("it answered with status {}: redirects are not followed", reply->status);
  return fmt::format("it answered with status {}", reply->status);
}

}  // namespace

Deliverer::Deliverer(state::History& store, http::Transport& transport, SigningKeys keys, DelivererSettings settings,
                     asio::thread_pool* disk, Clock& clock, Random& random, Log& log)
    : store_(store),
      transport_(transport),
      keys_(std::move(keys)),
      settings_(std::move(settings)),
      disk_(disk),
      clock_(clock),
      random_(random),
      log_(log) {}

bool Deliverer::paused() const { return paused_until_ && clock_.steady() < *paused_until_; }

void Deliverer::pause(std::chrono::seconds wait) { paused_until_ = clock_.steady() + wait; }

asio::awaitable<std::size_t> Deliverer::give_up_old() {
  const WallTime before = clock_.wall() - settings_.give_up_after;
  const auto drop = [this, before] { return store_.drop_events(before); };
  Result<std::size_t> dropped = co_await async::offload(disk_, drop);
  if (!dropped || *dropped == 0) co_return 0;
  status_.given_up += *dropped;
  log_.warning("events given up", {{"count", fmt::format("{}", *dropped)},
                                   {"why", "the webhook did not take them within a day"},
                                   {"err", status_.problem}});
  co_return *dropped;
}

asio::awaitable<Status> Deliverer::keep_outcome(std::int64_t id, std::optional<WallTime> next_attempt, int attempts) {
  const auto write = [this, id, next_attempt, attempts] {
    return store_.put_event_outcome(id, next_attempt, attempts);
  };
  Status written = co_await async::offload(disk_, write);
  if (!written) log_.warning("outcome of an event not noted", {{"err", written.error().describe()}});
  co_return written;
}

asio::awaitable<void> Deliverer::forget_delivered() {
  while (!delivered_.empty()) {
    Status forgotten = co_await keep_outcome(*delivered_.begin(), std::nullopt, 0);
    if (!forgotten) {
      pause(wait_for_the_disk);
      co_return;
    }
    delivered_.erase(delivered_.begin());
  }
}

void Deliverer::note_success() {
  ++status_.delivered;
  status_.last_success = clock_.wall();
  if (std::exchange(status_.failing_since, std::nullopt)) log_.info("the webhook takes events again");
  status_.problem.clear();
}

// Said when it begins, not at each attempt.
void Deliverer::note_failure(const Result<http::Response>& reply) {
  ++status_.failed;
  status_.problem = problem_of(reply);
  if (status_.failing_since) return;
  status_.failing_since = clock_.wall();
  log_.warning("an event was not taken by the webhook; it is tried again", {{"err", status_.problem}});
}

asio::awaitable<Deliverer::Next> Deliverer::deliver(const state::Event& event, Delivered& out) {
  http::Request request("POST", settings_.target);
  request.headers = headers_of(event, keys_, clock_.wall());
  request.body = event.body;
  request.timeout = settings_.timeout;  // idempotent: one that comes twice is known by its id
  Result<http::Response> reply = co_await transport_.exchange(std::move(request));
  if (!reply && reply.error().code == ErrorCode::cancelled) co_return Next::stop;
  const Answer answer = judge(reply);
  if (answer == Answer::delivered) {
    ++out.delivered;
    note_success();
    delivered_.insert(event.id);
    co_await forget_delivered();
    co_return delivered_.empty() ? Next::go_on : Next::stop;
  }
  ++out.failed;
  note_failure(reply);
  const int attempts = event.attempts + 1;
  const WallTime now = clock_.wall();
  const auto wait = wait_after(reply, attempts, settings_.pace, now, random_.unit());
  if (answer != Answer::unwanted) pause(wait);
  Status kept = co_await keep_outcome(event.id, now + wait, attempts);
  if (!kept && !paused()) pause(wait_for_the_disk);
  co_return answer == Answer::unwanted&& kept ? Next::go_on : Next::stop;
}

asio::awaitable<Delivered> Deliverer::deliver_due() {
  Delivered out;
  out.given_up = co_await give_up_old();
  if (!paused()) co_await forget_delivered();
  while (!paused()) {
    const WallTime now = clock_.wall();
    const std::size_t limit = settings_.batch;
    const auto take = [this, now, limit] { return store_.due_events(now, limit); };
    Result<std::vector<state::Event>> due = co_await async::offload(disk_, take);
    if (!due) {
      log_.warning("events not read", {{"err", due.error().describe()}});
      pause(wait_for_the_disk);
    }
    if (!due || due->empty()) break;
    for (const state::Event& event : *due) {
      const Next next = co_await deliver(event, out);
      if (next == Next::stop) co_return out;
    }
  }
  co_return out;
}

asio::awaitable<std::chrono::milliseconds> Deliverer::rest_until_next() {
  using std::chrono::milliseconds;
  const milliseconds longest = settings_.longest_rest;
  if (paused()) co_return std::min(longest, std::chrono::ceil<milliseconds>(*paused_until_ - clock_.steady()));
  const auto look = [this] { return store_.pending_events(); };
  Result<state::PendingEvents> pending = co_await async::offload(disk_, look);
  if (!pending || !pending->next_attempt) co_return longest;
  const milliseconds wait = *pending->next_attempt - clock_.wall();
  co_return std::clamp(wait, milliseconds(1'000), longest);  // wall time is in seconds: never a busy loop
}

asio::awaitable<void> Deliverer::run() {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    woken_ = false;
    co_await deliver_due();
    const std::chrono::milliseconds rest = co_await rest_until_next();
    if (woken_ && !paused()) continue;
    woken_ = false;
    rest_ = std::make_unique<asio::steady_timer>(executor, rest);
    const auto [error] = co_await rest_->async_wait(quietly);
    rest_.reset();
    if (error && !woken_) throw boost::system::system_error(asio::error::operation_aborted);
  }
}

void Deliverer::wake() {
  woken_ = true;
  if (rest_) rest_->cancel();
}

}  // namespace graft::events
