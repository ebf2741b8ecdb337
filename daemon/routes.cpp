#include "daemon/routes.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/assets.hpp"
#include "async/offload.hpp"
#include "base/duration.hpp"
#include "status/documents.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;
using admin::Request;
using admin::Response;
using nlohmann::json;

constexpr std::chrono::milliseconds answer_poll{50};
constexpr std::chrono::seconds longest_answer_wait{300};
constexpr std::size_t usual_history = 100, longest_history = 1'000;

Response document(std::string text) { return admin::json_response(200, std::move(text)); }

std::string query(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

// A number of the query; nullopt when it is there and is none.
std::optional<std::int64_t> number(const Request& request, const std::string& name, std::int64_t otherwise) {
  const std::string text = query(request, name);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Routes {
 public:
  explicit Routes(RouteParts parts) : parts_(std::move(parts)) {}

  Response page() const {
    static const auto body = std::make_shared<const std::string>(admin::page);
    static const std::string policy = admin::content_security_policy(*body);
    Response response;
    response.headers["Content-Security-Policy"] = policy;
    response.content_type = "text/html; charset=utf-8";
    response.body = body;
    return response;
  }

  Response openapi() const { return document(std::string(admin::openapi)); }

  Response metrics() const {
    return admin::text_response(200, parts_.metrics.expose(), std::string(metrics::content_type));
  }

  Response status() const { return document(status::status_document(*parts_.board.facts(), parts_.clock.wall())); }

  // Large, and asked for by every open page after each change: made once a version.
  Response resources() {
    const auto overview = parts_.board.facts()->overview;
    if (!resources_ || overview != resources_of_) {
      resources_ = std::make_shared<const std::string>(status::resources_document(overview.get()));
      resources_of_ = overview;
    }
    Response response;
    response.body = resources_;
    response.etag = fmt::format("\"{}-{}\"", parts_.board.facts()->started_at.time_since_epoch().count(),
                                overview ? overview->version : 0);
    return response;
  }

  Response plan() const { return document(status::plan_document(*parts_.board.facts())); }

  Response tokens() const {
    return document(status::tokens_document(parts_.board.facts()->slots.get(), parts_.clock.wall()));
  }

  asio::awaitable<Response> history(const Request& request) const {
    const auto limit = number(request, "limit", usual_history), before = number(request, "before", 0);
    if (!limit || !before || *limit < 1 || *limit > static_cast<std::int64_t>(longest_history) || *before < 0)
      co_return admin::error_response(400,
                                      fmt::format("limit is a number from 1 to {}, before an id", longest_history));
    state::ChangeQuery asked;
    asked.limit = static_cast<std::size_t>(*limit) + 1;
    if (*before > 0) asked.before = *before;
    asked.kind = query(request, "kind");
    asked.organization = query(request, "organization");
    asked.name = query(request, "name");
    // A disk that hangs must not keep /-/healthy from saying so.
    const auto read = [store = parts_.store(), asked] { return store->changes(asked); };
    auto changes = co_await async::offload(parts_.disk, read);
    if (!changes) co_return admin::error_response(503, changes.error().describe());
    const bool more = changes->size() >= asked.limit;
    if (more) changes->pop_back();
    co_return document(status::history_document(*changes, more));
  }

  Response events() const {
    Response response;
    response.content_type = "text/event-stream";
    response.events = true;
    return response;
  }

  Response healthy(const Request& request) const {
    const supervise::State state = parts_.heartbeat.state(parts_.clock.steady());
    return probe(request, {state.alive, state.reason});
  }
  Response ready(const Request& request) const {
    return probe(request, status::readiness(*parts_.board.facts(), parts_.clock.wall()));
  }
  Response startup(const Request& request) const { return probe(request, status::startup(*parts_.board.facts())); }

  asio::awaitable<Response> sync(const Request& request) const {
    const std::optional<Response> wrong = bad_wait(request);
    if (wrong) co_return *wrong;
    const std::uint64_t ticket = parts_.triggers.ask(Trigger::sync);
    const auto answer = co_await answer_to(Trigger::sync, ticket, request);
    if (query(request, "wait").empty()) co_return accepted();
    if (!answer) co_return too_late("the cycle has not ended in that time");
    co_return document(fmt::format(R"({{"cycle":{}}})", answer->text));
  }

  asio::awaitable<Response> reload(const Request& request) const {
    const std::optional<Response> wrong = bad_wait(request);
    if (wrong) co_return *wrong;
    const std::uint64_t ticket = parts_.triggers.ask(Trigger::reload);
    const auto answer = co_await answer_to(Trigger::reload, ticket, request);
    if (query(request, "wait").empty()) co_return accepted();
    if (!answer) co_return too_late("it was not reloaded in that time; a cycle may be under way");
    if (answer->done) co_return document(json{{"reloaded", true}}.dump());
    co_return admin::json_response(422, json{{"error", answer->text}, {"problems", answer->problems}}.dump(
                                            -1, ' ', false, json::error_handler_t::replace));
  }

 private:
  static Response accepted() { return admin::json_response(202, R"({"accepted":true})"); }
  static Response too_late(const std::string& what) { return admin::error_response(504, what); }

  static Response probe(const Request& request, const status::Readiness& state) {
    const int code = state.ready ? 200 : 503;
    if (!query(request, "verbose").empty())
      return admin::json_response(
          code, json{{"ok", state.ready}, {"reason", state.why}}.dump(-1, ' ', false, json::error_handler_t::replace));
    return admin::text_response(code, (state.ready ? "ok" : state.why) + "\n");
  }

  static std::optional<Response> bad_wait(const Request& request) {
    const std::string text = query(request, "wait");
    const auto wait = text.empty() ? Result<std::chrono::seconds>(std::chrono::seconds(0)) : parse_duration(text);
    if (wait && *wait <= longest_answer_wait) return std::nullopt;
    return admin::error_response(400, "wait is a duration of at most 5m, such as 30s");
  }

  asio::awaitable<std::optional<TriggerAnswer>> answer_to(Trigger what, std::uint64_t ticket,
                                                          const Request& request) const {
    const std::string text = query(request, "wait");
    const auto wait = text.empty() ? std::chrono::seconds(0) : parse_duration(text).value_or(std::chrono::seconds(0));
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const SteadyTime until = system_clock().steady() + wait;
    for (;;) {
      std::optional<TriggerAnswer> answer = parts_.triggers.answer(what, ticket);
      if (answer || system_clock().steady() >= until) co_return answer;
      timer.expires_after(answer_poll);
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  RouteParts parts_;
  std::shared_ptr<const status::Overview> resources_of_;
  std::shared_ptr<const std::string> resources_;
};

}  // namespace

std::vector<admin::Route> make_routes(const RouteParts& parts) {
  auto routes = std::make_shared<Routes>(parts);
  std::vector<admin::Route> table;
  const auto get = [&](std::string_view path, std::string_view summary, auto answer) {
    table.push_back(
        {"GET", path, summary, false, [routes, answer](const Request& request) -> asio::awaitable<Response> {
           co_return answer(*routes, request);
         }});
  };
  get("/", "The status page", [](Routes& r, const Request&) { return r.page(); });
  get("/openapi.json", "This description", [](Routes& r, const Request&) { return r.openapi(); });
  get("/metrics", "Metrics, for Prometheus", [](Routes& r, const Request&) { return r.metrics(); });
  get("/-/healthy", "Whether graftd itself is alive", [](Routes& r, const Request& q) { return r.healthy(q); });
  get("/livez", "The same, by Kubernetes' name", [](Routes& r, const Request& q) { return r.healthy(q); });
  get("/-/ready", "Whether graftd does its work, or why not", [](Routes& r, const Request& q) { return r.ready(q); });
  get("/readyz", "The same, by Kubernetes' name", [](Routes& r, const Request& q) { return r.ready(q); });
  get("/-/startup", "Whether all declared tokens have been delivered once",
      [](Routes& r, const Request& q) { return r.startup(q); });
  get("/api/v1/status", "How everything stands", [](Routes& r, const Request&) { return r.status(); });
  get("/api/v1/resources", "How every resource stands", [](Routes& r, const Request&) { return r.resources(); });
  get("/api/v1/plan", "What is left to do", [](Routes& r, const Request&) { return r.plan(); });
  get("/api/v1/tokens", "The tokens that are looked after", [](Routes& r, const Request&) { return r.tokens(); });
  table.push_back({"GET", "/api/v1/history", "What was changed", false,
                   [routes](const Request& request) -> asio::awaitable<Response> { return routes->history(request); }});
  get("/api/v1/events", "A stream of what happens", [](Routes& r, const Request&) { return r.events(); });
  table.push_back({"POST", "/api/v1/sync", "Begin a cycle", true,
                   [routes](const Request& request) -> asio::awaitable<Response> { return routes->sync(request); }});
  table.push_back({"POST", "/-/reload", "Read configuration, credentials and manifests anew", true,
                   [routes](const Request& request) -> asio::awaitable<Response> { return routes->reload(request); }});
  return table;
}

}  // namespace graft::daemon
