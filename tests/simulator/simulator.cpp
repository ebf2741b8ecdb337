#include "simulator.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "dispatch.hpp"
#include "faults.hpp"
#include "http_server.hpp"
#include "routes.hpp"
#include "wire.hpp"

namespace graft::simulator {
namespace {

Reply canned(const Fault& fault) { return {fault.status, fault.content_type, fault.body, fault.headers}; }

RequestRecord record_of(const Request& request, std::uint64_t number, std::uint64_t connection) {
  RequestRecord record;
  record.number = number;
  record.method = request.method;
  record.path = request.target;
  record.route = route_of(request.method, request.target).value_or("");
  record.org_header = request.header("x-grafana-org-id");
  record.body = request.body;
  record.connection = connection;
  return record;
}

}  // namespace

bool RequestRecord::write() const { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

class Simulator::Implementation {
 public:
  explicit Implementation(const Options& options)
      : options_(options), world_(read_settings(options.settings), options.frozen_clock) {
    add_first_user(world_, options.admin_user, options.admin_password);
    server_.emplace(options.host, options.port,
                    [this](Request request, std::uint64_t connection) { return handle(request, connection); });
  }

  std::string url() const { return "http://" + options_.host + ":" + std::to_string(server_->port()); }

  template <typename Action>
  auto locked(Action action) {
    const std::scoped_lock lock(mutex_);
    return action(*this);
  }

  Options options_;
  mutable std::mutex mutex_;  // guards all below but the server
  World world_;
  Faults faults_;
  std::vector<RequestRecord> records_;
  std::uint64_t last_number_ = 0;
  std::function<void(const RequestRecord&)> on_request_;
  std::optional<HttpServer> server_;

 private:
  Outgoing handle(const Request& request, std::uint64_t connection) {
    std::unique_lock lock(mutex_);
    RequestRecord record = record_of(request, ++last_number_, connection);
    const auto fault = faults_.take(record.number, record.method, record.route);
    if (fault && fault->kind == Fault::Kind::refuse) {
      records_.push_back(record);
      return {"", true, {}};
    }
    Reply reply = carried_out(request, fault, record);
    records_.push_back(record);
    const auto callback = on_request_;
    // The callback may ask the simulator for things, or take it down.
    lock.unlock();
    if (callback) callback(record);
    lock.lock();
    return outgoing(request, reply, fault);
  }

  Reply carried_out(const Request& request, const std::optional<Fault>& fault, RequestRecord& record) {
    if (fault && fault->kind == Fault::Kind::status) {
      record.status = fault->status;
      return canned(*fault);
    }
    Answer given = answer(world_, request, options_.apis);
    record.status = given.reply.status;
    record.user = given.user;
    return std::move(given.reply);
  }

  Outgoing outgoing(const Request& request, Reply& reply, const std::optional<Fault>& fault) {
    if (fault && fault->kind == Fault::Kind::drop_reply) return {"", true, {}};
    if (fault && fault->kind == Fault::Kind::reply_raw) reply = canned(*fault);
    const bool keep = wants_keep_alive(request);
    Outgoing out{wire_bytes(reply, world_.clock.now(), {request.method == "HEAD", keep}), !keep, {}};
    if (fault && fault->kind == Fault::Kind::delay) out.delay = fault->delay;
    if (fault && fault->kind == Fault::Kind::truncate) {
      out.bytes.resize(std::min(out.bytes.size(), fault->bytes));
      out.close = true;
    }
    return out;
  }
};

Simulator::Simulator(Options options) : implementation_(std::make_unique<Implementation>(options)) {}

Simulator::~Simulator() { implementation_->server_.reset(); }

std::string Simulator::url() const { return implementation_->url(); }

void Simulator::advance(std::chrono::seconds by) {
  implementation_->locked([&](auto& all) { all.world_.clock.advance(by); });
}

bool Simulator::revoke_token(std::int64_t id) {
  bool known = false;
  implementation_->locked([&](auto& all) {
    const auto token = all.world_.tokens.find(id);
    known = token != all.world_.tokens.end();
    if (known) token->second.revoked = true;
  });
  return known;
}

std::vector<std::string> Simulator::issued_keys() const {
  std::vector<std::string> keys;
  implementation_->locked([&](auto& all) { keys = all.world_.issued_keys; });
  return keys;
}

void Simulator::add_fault(Fault fault) {
  // A fault that can never happen makes a test that cannot fail.
  const bool known = fault.route.empty() || std::ranges::any_of(route_table(), [&](const Route& route) {
                       return route.pattern == fault.route && (fault.method.empty() || route.method == fault.method);
                     });
  if (!known) throw std::invalid_argument("no route of the simulator is " + fault.method + " " + fault.route);
  implementation_->locked([&](auto& all) { all.faults_.add(std::move(fault), all.last_number_); });
}

void Simulator::clear_faults() {
  implementation_->locked([](auto& all) { all.faults_.clear(); });
}

std::vector<RequestRecord> Simulator::requests() const {
  return implementation_->locked([](auto& all) { return all.records_; });
}

void Simulator::clear_requests() {
  implementation_->locked([](auto& all) {
    all.records_.clear();
    all.last_number_ = 0;
    all.faults_.restart_numbering();
  });
}

std::size_t Simulator::write_count() const {
  return implementation_->locked(
      [](auto& all) { return static_cast<std::size_t>(std::ranges::count_if(all.records_, &RequestRecord::write)); });
}

void Simulator::on_request(std::function<void(const RequestRecord&)> callback) {
  implementation_->locked([&](auto& all) { all.on_request_ = std::move(callback); });
}

std::size_t Simulator::failed_logins() const {
  return implementation_->locked([](auto& all) { return all.world_.refused_logins; });
}

void Simulator::stop_listening() { implementation_->server_->stop_listening(); }

void Simulator::start_listening() { implementation_->server_->start_listening(); }

}  // namespace graft::simulator
