#include "grafana/api.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "async/deadline.hpp"
#include "grafana/governor.hpp"
#include "grafana/request_observer.hpp"
#include "grafana/route.hpp"
#include "model/canonical_json.hpp"

namespace graft::grafana {

namespace {

constexpr std::size_t answer_depth_limit = 512;    // one deep dashboard of somebody must not hide all others
constexpr std::chrono::seconds longest_pause{10};  // within a cycle; the loop itself waits longer

bool troubled(const Result<Reply>& reply) {
  if (!reply) return reply.error().code == ErrorCode::timeout || reply.error().code == ErrorCode::unavailable;
  return reply->status == 429 || reply->status >= 500;
}

// 500 is left out: Grafana answers it for lasting conditions too ("namespace mismatch", 0.5).
bool worth_repeating(const Result<Reply>& reply) {
  if (!reply) return reply.error().retryable;
  return reply->status == 429 || reply->status == 502 || reply->status == 503 || reply->status == 504;
}

std::optional<std::chrono::milliseconds> pause_before_retry(const Result<Reply>& reply,
                                                            std::chrono::milliseconds usual) {
  int seconds = 0;
  if (reply) {
    const std::string& told = reply->retry_after;
    std::from_chars(told.data(), told.data() + told.size(), seconds);
  }
  const std::chrono::milliseconds asked = std::chrono::seconds(std::max(0, seconds));
  if (asked > longest_pause) return std::nullopt;  // told to stay away for longer than a cycle waits
  return std::max(usual, asked);
}

std::string_view retry_reason(const Result<Reply>& reply) {
  if (!reply) return reply.error().code == ErrorCode::timeout ? "timeout" : "no_answer";
  return reply->status == 429 ? "rate_limited" : "unavailable";
}

// From the sending of a request to its end, also when the coroutine is cancelled in between.
class Watched {
 public:
  Watched(RequestObserver* observer, const Clock& clock, const Call& call)
      : observer_(observer), clock_(clock), call_(call), begun_(clock.steady()) {
    if (observer_ != nullptr) observer_->began();
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    if (observer_ != nullptr)
      observer_->ended(call_.method, route_of(call_.method, call_.target), status_, clock_.steady() - begun_);
  }
  void answered(int status) { status_ = status; }

 private:
  RequestObserver* observer_;
  const Clock& clock_;
  const Call& call_;
  SteadyTime begun_;
  int status_ = 0;
};

}  // namespace

struct Api::Impl {
  http::Transport& transport;
  LoginGate& gate;
  Clock& clock;
  Log& log;
  Limits limits;
  Governor governor;
  std::optional<WallTime> date;
  SteadyTime date_seen{};
  std::uint64_t requests = 0;
  RequestObserver* observer = nullptr;

  Result<http::Request> make_request(const Call& call, std::uint64_t& epoch) {
    http::Request request(call.method, call.target);
    if (call.key != nullptr) {
      request.headers.emplace_back("Authorization", fmt::format("Bearer {}", call.key->reveal()));
    } else {
      Result<LoginGate::Pass> pass = gate.pass(call.probe);
      if (!pass) return fail(std::move(pass.error()));
      epoch = pass->epoch;
      request.headers.emplace_back("Authorization", std::move(pass->authorization));
    }
    if (call.organization.value() > 0)
      request.headers.emplace_back("X-Grafana-Org-Id", std::to_string(call.organization.value()));
    request.headers.emplace_back("Accept", "application/json");
    if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = call.body;
    request.idempotent = call.idempotent;
    request.timeout = limits.timeout;
    return request;
  }

  void note(const Call& call, std::uint64_t epoch, const http::Response& response, const Reply& reply) {
    date = parse_http_date(response.header("Date"));
    date_seen = clock.steady();
    if (call.key != nullptr) return;
    if (is_refused_login(reply)) {
      gate.refused();
    } else if (call.probe && reply.status == 200 && is_json(reply)) {
      gate.proven(epoch);
    } else if (call.probe && reply.status == 504) {
      gate.unanswered(epoch);
    }
  }

  asio::awaitable<Result<Reply>> once(const Call& call) {
    Permits permits = co_await governor.admit(call.access);
    std::uint64_t epoch = 0;
    Result<http::Request> request =
        make_request(call, epoch);  // asked for last: the gate may have shut while we waited
    if (!request) co_return fail(std::move(request.error()));
    ++requests;
    Watched watched(observer, clock, call);
    Result<http::Response> response = co_await transport.exchange(std::move(*request));
    if (!response) {
      if (call.probe && response.error().code == ErrorCode::ambiguous) gate.unanswered(epoch);
      Error error = std::move(response.error());
      co_return fail(std::move(error).context(call.what));
    }
    watched.answered(response->status);
    Reply reply;
    reply.status = response->status;
    reply.content_type = response->header("Content-Type");
    reply.location = response->header("Location");
    reply.retry_after = response->header("Retry-After");
    reply.body = std::move(response->body);
    note(call, epoch, *response, reply);
    log.debug("request", {{"method", call.method},
                          {"target", call.target},
                          {"org", std::to_string(call.organization.value())},
                          {"status", std::to_string(reply.status)}});
    co_return reply;
  }

  asio::awaitable<Result<Reply>> send(Call call) {
    std::chrono::milliseconds pause = limits.retry_pause;
    for (int attempt = 0;; ++attempt) {
      Result<Reply> reply = co_await once(call);
      if (troubled(reply)) {
        governor.had_trouble();
      } else {
        governor.went_well(call.access);
      }
      if (observer != nullptr) observer->write_limit(governor.write_limit());
      if (!call.idempotent || attempt >= limits.read_retries || !worth_repeating(reply)) co_return reply;
      const std::optional<std::chrono::milliseconds> wait = pause_before_retry(reply, pause);
      if (!wait) co_return reply;
      log.debug("request repeated", {{"what", call.what}, {"attempt", std::to_string(attempt + 1)}});
      if (observer != nullptr) observer->retried(retry_reason(reply));
      co_await async::sleep_for(*wait);
      pause *= 2;
    }
  }
};

Api::Api(http::Transport& transport, LoginGate& gate, Clock& clock, Log& log, Limits limits)
    : impl_(new Impl{transport, gate, clock, log, limits, Governor(limits), std::nullopt, {}, 0, nullptr}) {}

Api::~Api() = default;

void Api::observe(RequestObserver* observer) {
  impl_->observer = observer;
  if (observer != nullptr) observer->write_limit(impl_->governor.write_limit());
}

asio::awaitable<Result<Reply>> Api::send(Call call) { return impl_->send(std::move(call)); }

asio::awaitable<Result<nlohmann::json>> Api::fetch(Call call) {
  const std::string what = call.what;
  Result<Reply> reply = co_await send(std::move(call));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->status < 200 || reply->status > 299 || !is_json(*reply)) co_return fail(error_of(what, *reply));
  const std::string body = std::move(reply->body);
  Result<nlohmann::json> document = parse_json(body, answer_depth_limit);
  if (!document) {
    // Without the text: it may be other people's content.
    co_return fail(ErrorCode::protocol,
                   fmt::format("{}: the answer is not sound JSON: {}", what, document.error().message));
  }
  co_return std::move(*document);
}

std::optional<WallTime> Api::server_time() const {
  if (!impl_->date) return std::nullopt;
  return *impl_->date + std::chrono::floor<std::chrono::seconds>(impl_->clock.steady() - impl_->date_seen);
}

std::uint64_t Api::requests() const { return impl_->requests; }
LoginGate& Api::gate() { return impl_->gate; }

std::string namespace_of(OrgId organization) {
  return organization.value() == 1 ? "default" : fmt::format("org-{}", organization.value());
}

}  // namespace graft::grafana
