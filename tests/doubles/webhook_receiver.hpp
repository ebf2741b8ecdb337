// A double of a program that takes graftd's events: it checks each signature by its own reckoning, keeps what it took,
// and knows what comes twice. What has a wrong signature or an old timestamp is answered with 401 and not taken.
//
// Faults beside those of DoubleServer: it can answer everything with one status until told otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "doubles/double_server.hpp"

namespace graft::doubles {

struct Taken {
  std::string delivery, type, body;  // X-Graftd-Delivery, X-Graftd-Event
  std::int64_t timestamp = 0;
};

class WebhookReceiver final : public DoubleServer {
 public:
  explicit WebhookReceiver(std::string secret, std::string path = "/hook");
  ~WebhookReceiver() override;

  void replace_secret(std::string secret);
  // Instead of 200 and of taking it; 0: works again. The header is "Name: value" or empty.
  void answer_all_with(int status, const std::string& header = {});
  void expect_time(std::int64_t seconds);  // timestamps more than five minutes away are refused; 0: any will do

  [[nodiscard]] std::vector<Taken> taken() const;         // in order, each delivery once
  [[nodiscard]] std::vector<std::string> bodies() const;  // of taken()
  [[nodiscard]] std::map<std::string, int> seen() const;  // how often each delivery was answered with 200
  [[nodiscard]] int refused() const;                      // signatures that were wrong

 private:
  Reply answer(const Request& request) override;
  [[nodiscard]] bool genuine(const Request& request) const;

  std::string secret_, path_;
  int status_ = 0;
  std::pair<std::string, std::string> header_;
  std::int64_t now_ = 0;
  std::vector<Taken> taken_;
  std::map<std::string, int> seen_;
  int refused_ = 0;
};

}  // namespace graft::doubles
