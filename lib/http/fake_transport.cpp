#include "http/fake_transport.hpp"

namespace graft::http {

asio::awaitable<Result<Response>> FakeTransport::exchange(Request request) {
  requests_.push_back(std::move(request));
  const Request copy = requests_.back();  // the handler may make requests of its own, and move the vector
  co_return handler_(copy);
}

std::vector<std::string> FakeTransport::lines() const {
  std::vector<std::string> out;
  out.reserve(requests_.size());
  for (const Request& request : requests_) out.push_back(request.method + " " + request.target);
  return out;
}

Response respond(int status, std::string body, Headers headers) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

}  // namespace graft::http
