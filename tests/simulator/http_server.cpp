#include "http_server.hpp"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "text.hpp"

namespace graft::simulator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::uint64_t max_body = std::uint64_t{128} << 20U;

Request to_request(const http::request<http::string_body>& message) {
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.body = message.body();
  for (const auto& field : message) {
    const std::string_view name(field.name_string().data(), field.name_string().size());
    request.headers.emplace(ascii_lower(name), std::string(field.value()));
  }
  split_target(request);
  return request;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, std::uint64_t number, const HttpServer::Handler& handler)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), number_(number), handler_(handler) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(max_body);
    http::async_read_header(socket_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
      if (error) return self->fail(error);
      self->read_body();
    });
  }

  void close() {
    Error ignored;
    timer_.cancel();
    socket_.shutdown(Tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

 private:
  void read_body() {
    // Large bodies are announced: the client waits for this before it sends one.
    if (parser_->get()[http::field::expect] == "100-continue") {
      Error ignored;
      asio::write(socket_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), ignored);
    }
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
      if (error) return self->fail(error);
      self->answer();
    });
  }

  void fail(const Error& error) {
    if (error == http::error::end_of_stream || error.category() == boost::system::system_category() ||
        error == asio::error::operation_aborted) {
      return close();
    }
    outgoing_ = {
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad "
        "Request",
        true, std::chrono::milliseconds(0)};
    write();
  }

  void answer() {
    outgoing_ = handler_(to_request(parser_->get()), number_);
    if (outgoing_.delay.count() == 0) return write();
    timer_.expires_after(outgoing_.delay);
    timer_.async_wait([self = shared_from_this()](Error error) {
      if (!error) self->write();
    });
  }

  void write() {
    if (!socket_.is_open()) return;
    asio::async_write(socket_, asio::buffer(outgoing_.bytes), [self = shared_from_this()](Error error, std::size_t) {
      if (error || self->outgoing_.close) return self->close();
      self->read();
    });
  }

  Tcp::socket socket_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Outgoing outgoing_;
  std::uint64_t number_;
  const HttpServer::Handler& handler_;
};

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(const std::string& host, unsigned short port, Handler handler)
      : handler_(std::move(handler)), endpoint_(asio::ip::make_address(host), port) {
    listen();
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Implementation() {
    on_thread([this] { stop(); });
    work_.reset();
    thread_.join();
  }

  unsigned short port() const { return endpoint_.port(); }

  void stop_listening() {
    on_thread([this] { stop(); });
  }

  void start_listening() {
    on_thread([this] { listen(); });
  }

 private:
  // Runs an action on the server's thread and waits for it; at once when that is this thread.
  template <typename Action>
  void on_thread(Action action) {
    std::promise<void> done;
    asio::dispatch(context_, [&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }

  void listen() {
    if (acceptor_.is_open()) return;
    acceptor_.open(endpoint_.protocol());
    acceptor_.set_option(Tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint_);
    acceptor_.listen();
    endpoint_ = acceptor_.local_endpoint();
    accept();
  }

  void accept() {
    acceptor_.async_accept([this](Error error, Tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (!error) start(std::move(socket));
      accept();
    });
  }

  void start(Tcp::socket socket) {
    Error ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    const auto session = std::make_shared<Session>(std::move(socket), ++connections_, handler_);
    std::erase_if(sessions_, [](const auto& known) { return known.expired(); });
    sessions_.push_back(session);
    session->read();
  }

  void stop() {
    Error ignored;
    acceptor_.close(ignored);
    for (const auto& known : sessions_) {
      if (const auto session = known.lock()) session->close();
    }
    sessions_.clear();
  }

  Handler handler_;
  Tcp::endpoint endpoint_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  Tcp::acceptor acceptor_{context_};
  std::vector<std::weak_ptr<Session>> sessions_;
  std::uint64_t connections_ = 0;
  std::thread thread_;
};

HttpServer::HttpServer(const std::string& host, unsigned short port, Handler handler)
    : implementation_(std::make_unique<Implementation>(host, port, std::move(handler))) {}

HttpServer::~HttpServer() = default;

unsigned short HttpServer::port() const { return implementation_->port(); }

void HttpServer::stop_listening() { implementation_->stop_listening(); }

void HttpServer::start_listening() { implementation_->start_listening(); }

}  // namespace graft::simulator
