#include "doubles/double_server.hpp"

#include <utility>

#include "simulator/text.hpp"
#include "simulator/wire.hpp"

namespace graft::doubles {

namespace {

Request to_request(const http::Request& from) {
  Request request;
  request.method = from.method;
  request.target = from.target;
  request.body = from.body;
  for (const auto& [name, value] : from.headers) request.headers.emplace(simulator::ascii_lower(name), value);
  simulator::split_target(request);
  return request;
}

http::Response to_response(const Reply& reply) {
  http::Response response;
  response.status = reply.status;
  response.body = reply.body;
  response.headers.emplace_back("Content-Type", reply.content_type);
  for (const auto& header : reply.headers) response.headers.push_back(header);
  return response;
}

}  // namespace

DoubleServer::DoubleServer() = default;
DoubleServer::~DoubleServer() = default;

void DoubleServer::stop() { server_.reset(); }

std::string DoubleServer::url() {
  const auto held = lock();
  if (!server_) {
    const auto serve = [this](const Request& request, std::uint64_t) {
      const Outcome outcome = handle(request);
      simulator::Framing framing;
      framing.keep_alive = simulator::wants_keep_alive(request);
      simulator::Outgoing out;
      if (!outcome.drop) out.bytes = simulator::wire_bytes(outcome.reply, std::chrono::system_clock::now(), framing);
      out.close = outcome.drop || !framing.keep_alive;
      out.delay = outcome.delay;
      return out;
    };
    server_ = std::make_unique<simulator::HttpServer>("127.0.0.1", static_cast<unsigned short>(0), serve);
  }
  return "http://127.0.0.1:" + std::to_string(server_->port());
}

void DoubleServer::go_down() { server_->stop_listening(); }
void DoubleServer::come_back() { server_->start_listening(); }

http::FakeTransport::Handler DoubleServer::handler() {
  return [this](const http::Request& request) -> Result<http::Response> {
    const Outcome outcome = handle(to_request(request));
    if (!outcome.drop) return to_response(outcome.reply);
    const ErrorCode code = request.idempotent ? ErrorCode::unavailable : ErrorCode::ambiguous;
    return fail(code, "the connection broke before a reply");
  };
}

void DoubleServer::add(Fault fault) {
  const auto held = lock();
  faults_.push_back(std::move(fault));
}

void DoubleServer::answer_with(const std::string& method, int nth, Reply reply) {
  Fault fault{method, nth, std::move(reply)};
  fault.instead = true;
  add(std::move(fault));
}

void DoubleServer::answer_with(const std::string& method, int nth, int status, const std::string& body) {
  Reply reply;
  reply.status = status;
  reply.body = body;
  if (!body.starts_with('{')) reply.content_type = "text/html";
  answer_with(method, nth, std::move(reply));
}

void DoubleServer::drop_reply(const std::string& method, int nth) {
  Fault fault{method, nth, {}};
  fault.drop = true;
  add(std::move(fault));
}

void DoubleServer::delay(const std::string& method, int nth, std::chrono::milliseconds by) {
  Fault fault{method, nth, {}};
  fault.delay = by;
  add(std::move(fault));
}

void DoubleServer::before(const std::string& method, int nth, std::function<void()> event) {
  Fault fault{method, nth, {}};
  fault.event = std::move(event);
  add(std::move(fault));
}

// All faults of this method count down; those that reach their request strike together.
DoubleServer::Fault DoubleServer::take_fault(const std::string& method) {
  Fault all;
  for (Fault& fault : faults_) {
    if (!fault.method.empty() && fault.method != method) continue;
    if (--fault.left > 0) continue;
    if (fault.instead) all.reply = fault.reply;
    if (fault.event) all.event = fault.event;
    all.instead = all.instead || fault.instead;
    all.drop = all.drop || fault.drop;
    all.delay += fault.delay;
  }
  std::erase_if(faults_, [](const Fault& fault) { return fault.left <= 0; });
  return all;
}

DoubleServer::Outcome DoubleServer::handle(const Request& request) {
  const auto held = lock();
  const Fault fault = take_fault(request.method);
  if (fault.event) fault.event();
  Outcome outcome;
  outcome.reply = fault.instead ? fault.reply : answer(request);
  outcome.drop = fault.drop;
  outcome.delay = fault.delay;
  log_.push_back({request.method, request.target, request.body, request.headers, outcome.reply.status});
  return outcome;
}

std::vector<Logged> DoubleServer::log() const {
  const auto held = lock();
  return log_;
}

std::vector<std::string> DoubleServer::lines() const {
  std::vector<std::string> out;
  for (const Logged& each : log()) out.push_back(each.method + " " + each.target);
  return out;
}

void DoubleServer::forget_log() {
  const auto held = lock();
  log_.clear();
}

}  // namespace graft::doubles
