// A request as it goes over the wire: its head as one text, and its body. Both may hold secrets and are wiped.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/base_url.hpp"
#include "http/transport.hpp"

namespace graft::http {

class RequestText {
 public:
  // Wipes the request's header values and takes its body. An error (ErrorCode::invalid) for a method, target or header
  // that would break out of its line.
  [[nodiscard]] static Result<RequestText> render(Request& request, const BaseUrl& server, const std::string& agent);

  RequestText(RequestText&&) = default;
  RequestText& operator=(RequestText&&) = default;
  RequestText(const RequestText&) = delete;
  RequestText& operator=(const RequestText&) = delete;
  ~RequestText() {
    wipe(head_);
    wipe(body_);
  }

  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] const std::string& name() const { return name_; }  // "GET http://grafana:3000/api/org", for messages
  [[nodiscard]] bool expects_body() const { return expects_body_; }

 private:
  RequestText() = default;

  std::string head_;
  std::string body_;
  std::string name_;
  bool expects_body_ = true;  // a reply to HEAD has none
};

}  // namespace graft::http
