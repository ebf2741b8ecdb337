#include "admin/session.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <exception>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "admin/response.hpp"
#include "admin/token_file.hpp"
#include "async/cancelled.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

namespace http = boost::beast::http;

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_size = 256 * 1024;  // of an answer, each with its own time
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t unread_limit = 64 * 1024;  // of a chunk's header or the trailer
constexpr std::chrono::milliseconds goodbye_time{1'000};
constexpr std::size_t goodbye_limit = 256 * 1024;
constexpr std::chrono::seconds complaint_period{60};

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Refusal unreadable(const error_code& error) { return Refusal{400, "the request is no HTTP: " + error.message()}; }

// "GET, HEAD" or "POST": what the path does answer.
std::string allowed_methods(const std::vector<Route>& routes, std::string_view path) {
  std::string out;
  for (const Route& route : routes) {
    if (route.path != path) continue;
    out += (out.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") out += ", HEAD";
  }
  return out;
}

bool known_method(std::string_view method) {
  constexpr std::string_view known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"};
  return std::ranges::find(known, method) != std::end(known);
}

std::string render_event(const Broadcast::Event& event) {
  std::string out = fmt::format("id: {}\nevent: {}\n", event.id, printable(event.name));
  std::string_view rest = event.data;
  do {
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    out += fmt::format("data: {}\n", line);
  } while (!rest.empty());
  return out + "\n";
}

bool due(SteadyTime& last) {
  const SteadyTime now = system_clock().steady();
  if (last != SteadyTime{} && now - last < complaint_period) return false;
  last = now;
  return true;
}

}  // namespace

struct Session::Exchange {
  explicit Exchange(const Limits& limits) {
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
  }
  void refuse(int status, std::string_view message) { refused = Refusal{status, std::string(message)}; }

  // After a refusal only when the next request cannot begin elsewhere than we believe.
  [[nodiscard]] bool may_go_on() const {
    if (!whole || !parser.keep_alive() || head.http_1_0) return false;
    return !refused || (request.method == "GET" && (refused->status == 404 || refused->status == 405));
  }

  http::request_parser<http::string_body> parser;
  RequestHead head;  // views into the parser
  BodyLength length;
  Request request;
  const Route* route = nullptr;
  Response response;
  std::optional<Refusal> refused;
  std::map<std::string, std::string> refusal_headers;
  bool whole = false;  // nothing of the request is left to be read: the connection can serve again
  bool head_only = false;
};

Session::Session(std::shared_ptr<Core> core, asio::any_io_executor executor, Wire wire, Channel channel,
                 std::string local_address)
    : core_(std::move(core)),
      wire_(std::move(wire)),
      channel_(channel),
      local_address_(std::move(local_address)),
      executor_(executor),
      deadline_(executor),
      wake_(executor),
      since_(system_clock().steady()) {
  core_->connections.push_back(this);
}

void Session::start() {
  auto ended = [self = shared_from_this()](const std::exception_ptr& failure) {
    self->allow_any_time();
    self->close();
    if (!failure || async::is_cancellation(failure)) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      self->core_->log.error("a connection of the admin endpoint failed", {{"err", error.what()}});
    } catch (...) {
      self->core_->log.error("a connection of the admin endpoint failed");
    }
  };
  asio::co_spawn(executor_, run(), asio::bind_cancellation_slot(cancellation_.slot(), std::move(ended)));
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  core_->connections.remove(this);
  core_->streams.remove(this);
  wire_.close();
  wake_.cancel();
}

void Session::stop() {
  const auto self = shared_from_this();
  close();
  deadline_.cancel();
  cancellation_.emit(asio::cancellation_type::terminal);
}

void Session::enter(State state) {
  state_ = state;
  since_ = system_clock().steady();
}

void Session::allow(std::chrono::milliseconds time) {
  expired_ = false;
  deadline_.expires_after(time);
  deadline_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->deadline_.expiry() > system_clock().steady()) return;
    self->expired_ = true;
    self->wire_.cancel();
  });
}

void Session::allow_any_time() {
  expired_ = false;
  deadline_.expires_at(SteadyTime::max());
}

asio::awaitable<void> Session::run() {
  allow(core_->settings.limits.header_timeout);
  if (wire_.secure()) {
    const error_code error = co_await wire_.shake_hands();
    if (error || expired_) co_return;
  }
  bool more = true;
  while (more && !closed_) more = co_await serve_one();
  if (!closed_) co_await part();
}

// True when another request may follow.
asio::awaitable<bool> Session::serve_one() {
  Exchange exchange(core_->settings.limits);
  if (!co_await receive_head(exchange)) co_return false;
  if (!exchange.refused) admit(exchange);
  if (!exchange.refused) co_await receive_body(exchange);
  if (!exchange.refused) co_await handle(exchange);
  if (exchange.refused) {
    exchange.response = error_response(exchange.refused->status, exchange.refused->message);
    exchange.response.headers = std::move(exchange.refusal_headers);
  }
  if (closed_) co_return false;
  co_return co_await answer(exchange);
}

// False when the connection ended, or its time, before anything of a request came.
asio::awaitable<bool> Session::receive_head(Exchange& exchange) {
  const Limits& limits = core_->settings.limits;
  if (served_) allow(pending_.empty() ? limits.idle_timeout : limits.header_timeout);
  HeadScan scan = scan_head(pending_, limits.header_bytes);
  while (scan.size == 0 && !scan.refused) {
    const bool first = pending_.empty();
    const error_code error = co_await wire_.read_some(pending_, read_size);
    if (closed_ || (pending_.empty() && (error || expired_))) co_return false;
    if (expired_) {
      exchange.refuse(408, "the request has not come in time");
    } else if (error) {
      exchange.refuse(400, "the request breaks off");
    }
    if (exchange.refused) co_return true;
    if (first && served_) allow(limits.header_timeout);
    scan = scan_head(pending_, limits.header_bytes);
  }
  exchange.refused = std::move(scan.refused);
  if (exchange.refused) co_return true;
  error_code error;
  exchange.parser.put(asio::buffer(pending_.data(), scan.size), error);
  pending_.erase(0, scan.size);
  // Too large a body is found by admit(), which knows whether the route takes any.
  if (error && error != http::error::body_limit) exchange.refused = unreadable(error);
  exchange.whole = exchange.parser.is_done();
  co_return true;
}

void Session::admit(Exchange& exchange) {
  const auto& message = exchange.parser.get();
  exchange.head.method = view(message.method_string());
  exchange.head.target = view(message.target());
  exchange.head.http_1_0 = message.version() == 10;
  for (const auto& field : message)
    exchange.head.fields.push_back({view(field.name_string()), trim(view(field.value()))});
  auto length = check_framing(exchange.head);
  if (!length) {
    exchange.whole = false;
    exchange.refused = std::move(length.error());
    return;
  }
  exchange.length = *length;
  if (channel_ == Channel::tcp) {
    exchange.refused = check_origin(exchange.head, core_->hosts, local_address_);
    if (exchange.refused) return;
  }
  auto target = split_target(exchange.head.target);
  if (!target) {
    exchange.refused = std::move(target.error());
    return;
  }
  exchange.request.path = std::move(target->path);
  exchange.request.query = std::move(target->query);
  exchange.head_only = exchange.head.method == "HEAD";
  exchange.request.method = exchange.head_only ? "GET" : exchange.head.method;
  if (!known_method(exchange.head.method)) return exchange.refuse(501, "this method is not known here");
  const std::string allowed = allowed_methods(core_->routes, exchange.request.path);
  if (allowed.empty()) return exchange.refuse(404, "there is nothing at this path");
  for (const Route& route : core_->routes)
    if (route.path == exchange.request.path && route.method == exchange.request.method) exchange.route = &route;
  if (exchange.route == nullptr) {
    exchange.refusal_headers["Allow"] = allowed;
    return exchange.refuse(405, "this path answers " + allowed);
  }
  admit_change(exchange);
}

// What depends on the route: trust, media type, length.
void Session::admit_change(Exchange& exchange) {
  const bool get = exchange.request.method == "GET";
  if (get && exchange.length.expected()) return exchange.refuse(400, "a request to read takes no body");
  const bool changes = exchange.route->changes;
  const bool local = channel_ == Channel::local;
  exchange.request.trusted = local;
  if (changes && !local) {
    exchange.refused = check_site(exchange.head);
    if (exchange.refused) return;
  }
  if (!local && (changes || exchange.head.find("Authorization"))) {
    const auto bears = bears_token(exchange);
    if (changes && !bears) return exchange.refuse(403, bears.error().message);
    exchange.request.trusted = bears.value_or(false);
    if (changes && !*bears) {
      exchange.refusal_headers["WWW-Authenticate"] = "Bearer";
      return exchange.refuse(401, "this request needs `Authorization: Bearer` and the content of the token file");
    }
  }
  if (changes && !is_json(exchange.head.find("Content-Type").value_or("")))
    return exchange.refuse(415, "Content-Type must be application/json");
  if (!get && !exchange.length.declared()) return exchange.refuse(411, "Content-Length is missing");
  if (exchange.length.bytes.value_or(0) > core_->settings.limits.body_bytes)
    return exchange.refuse(413, "the body is too large");
}

Result<bool> Session::bears_token(const Exchange& exchange) {
  const std::string& file = core_->settings.token_file;
  if (file.empty())
    return fail(ErrorCode::forbidden,
                "changing requests are off here: set http.tokenFile and send its content as bearer token, or use the "
                "Unix socket");
  auto bears = admin::bears_token(exchange.head.find("Authorization").value_or(""), file);
  if (bears) return bears;
  if (due(core_->token_complaint))
    core_->log.warning("the token file of the admin endpoint cannot be used: requests that need it are refused",
                       {{"path", file}, {"uid", std::to_string(::geteuid())}, {"err", bears.error().describe()}});
  return fail(ErrorCode::forbidden, "the token file of this server cannot be used; its log says why");
}

asio::awaitable<void> Session::receive_body(Exchange& exchange) {
  if (!exchange.parser.is_done()) {
    allow(core_->settings.limits.body_timeout);
    const bool awaited = exchange.head.find("Expect").has_value() && !exchange.head.http_1_0 && pending_.empty();
    if (awaited && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) close();
    enter(State::waiting);
    if (awaited) allow(core_->settings.limits.body_timeout);
    co_await take_body(exchange);
    if (exchange.refused) co_return;
  }
  exchange.whole = true;
  exchange.request.body = std::move(exchange.parser.get().body());
}

asio::awaitable<void> Session::take_body(Exchange& exchange) {
  error_code error;
  while (!exchange.parser.is_done()) {
    if (!pending_.empty()) {
      const std::size_t taken = exchange.parser.put(asio::buffer(pending_), error);
      pending_.erase(0, taken);
      if (error == http::error::body_limit) co_return exchange.refuse(413, "the body is too large");
      if (error && error != http::error::need_more) {
        exchange.refused = unreadable(error);
        co_return;
      }
      if (taken > 0) continue;
      if (pending_.size() > unread_limit) co_return exchange.refuse(400, "a chunk without an end");
    }
    error = co_await wire_.read_some(pending_, read_size);
    if (expired_) co_return exchange.refuse(408, "the body has not come in time");
    if (error) co_return exchange.refuse(400, "the request breaks off");
  }
}

asio::awaitable<void> Session::handle(Exchange& exchange) {
  allow_any_time();
  enter(State::handling);
  std::string problem;
  try {
    exchange.response = co_await exchange.route->handle(exchange.request);
  } catch (const std::exception& error) {
    if (core_->stopped) throw;
    problem = error.what();
  } catch (...) {
    problem = "not a std::exception";
  }
  if (problem.empty()) co_return;
  core_->log.error("a handler of the admin endpoint failed",
                   {{"route", std::string(exchange.route->path)}, {"err", problem}});
  exchange.response = error_response(500, "internal error");
}

asio::awaitable<bool> Session::answer(Exchange& exchange) {
  Response& response = exchange.response;
  if (response.events && !exchange.head_only && !exchange.refused) {
    if (core_->streams.size() < core_->settings.limits.streams) {
      co_await stream(exchange);
      co_return false;
    }
    response = error_response(503, "too many streams of events are open");
    response.headers["Retry-After"] = "5";
  }
  if (response.events) response.content_type = "text/event-stream";
  const auto known_tags = exchange.head.find("If-None-Match");
  if (response.status == 200 && exchange.request.method == "GET" && known_tags &&
      matches_etag(*known_tags, response.etag))
    response.status = 304;
  const bool keep = exchange.may_go_on() && !core_->stopped;
  HeadOptions options;
  options.close = !keep;
  if (!response.events) options.length = response.body ? response.body->size() : 0;
  std::string bytes = render_head(response, options);
  const bool with_body = !exchange.head_only && response.status != 304 && response.body;
  // A small answer leaves in one piece.
  const bool small = with_body && response.body->size() < read_size;
  if (small) bytes += *response.body;
  bool written = co_await write(bytes);
  if (written && with_body && !small) written = co_await write(*response.body);
  if (core_->counted) core_->counted(exchange.route == nullptr ? "other" : exchange.route->path, response.status);
  if (!written) close();
  served_ = true;
  enter(State::waiting);
  co_return keep&& written;
}

asio::awaitable<bool> Session::write(std::string_view bytes) {
  enter(State::writing);
  while (!bytes.empty()) {
    allow(core_->settings.limits.write_timeout);
    std::string_view piece = bytes.substr(0, piece_size);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      const Wire::Written written = co_await wire_.write_some(piece);
      if (written.error || expired_ || closed_) co_return false;
      piece.remove_prefix(written.size);
      since_ = system_clock().steady();
    }
  }
  co_return true;
}

// Closing while bytes are unread would reset the connection, and the answer might be lost with it: what still comes is
// read, for a while.
asio::awaitable<void> Session::part() {
  enter(State::waiting);
  allow(goodbye_time);
  co_await wire_.say_goodbye();
  std::size_t seen = 0;
  while (!closed_ && !expired_ && seen < goodbye_limit) {
    pending_.clear();
    if (co_await wire_.read_some(pending_, read_size)) break;
    seen += pending_.size();
  }
}

asio::awaitable<void> Session::stream(Exchange& exchange) {
  std::uint64_t last = core_->events.newest();
  const auto asked = exchange.request.query.find("lastEventId");
  auto given = exchange.head.find("Last-Event-ID");
  if (!given && asked != exchange.request.query.end()) given = asked->second;
  // What is no number is an id of somebody else's: 0 is older than all of ours.
  if (given && std::from_chars(given->data(), given->data() + given->size(), last).ec != std::errc()) last = 0;
  core_->connections.remove(this);
  core_->streams.push_back(this);
  Response& response = exchange.response;
  response.content_type = "text/event-stream";
  response.body = nullptr;
  const bool begun = co_await write(render_head(response, HeadOptions{std::nullopt, true}) + ": begins\n\n");
  if (core_->counted) core_->counted(exchange.route->path, response.status);
  if (!begun) co_return close();
  // Who listens has nothing to say: whatever can be read now is the end.
  wire_.on_readable([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->close();
  });
  while (!closed_ && co_await write_news(last)) {
    allow_any_time();
    enter(State::streaming);
    wake_.expires_after(core_->settings.limits.comment_period);
    const auto [woken] = co_await wake_.async_wait(quietly);
    if (!woken && !closed_ && !co_await write(": still here\n\n")) break;
  }
  close();
}

asio::awaitable<bool> Session::write_news(std::uint64_t& last) {
  for (;;) {
    const std::vector<Broadcast::Event> news = core_->events.since(last);
    if (news.empty()) co_return true;
    std::string bytes;
    for (const Broadcast::Event& event : news) bytes += render_event(event);
    last = news.back().id;
    if (!co_await write(bytes)) co_return false;
  }
}

}  // namespace graft::admin
