// A Transport for tests: a function answers, and every request is kept to be looked at.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "http/transport.hpp"

namespace graft::http {

class FakeTransport final : public Transport {
 public:
  using Handler = std::function<Result<Response>(const Request&)>;

  explicit FakeTransport(Handler handler) : handler_(std::move(handler)) {}

  [[nodiscard]] asio::awaitable<Result<Response>> exchange(Request request) override;

  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  // "GET /api/org" and so on, in order: what most tests compare.
  [[nodiscard]] std::vector<std::string> lines() const;
  void answer_with(Handler handler) { handler_ = std::move(handler); }
  void forget_requests() { requests_.clear(); }

 private:
  Handler handler_;
  std::vector<Request> requests_;
};

// A reply in one expression: respond(200, R"({"id":1})").
[[nodiscard]] Response respond(int status, std::string body = {}, Headers headers = {});

}  // namespace graft::http
