#include "doubles/webhook_receiver.hpp"

#include <array>
#include <cstdlib>
#include <openssl/hmac.h>
#include <sstream>
#include <utility>

namespace graft::doubles {

namespace {

constexpr std::int64_t oldest = 300;  // seconds

std::string expected_signature(const std::string& secret, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  std::string out = "v1=";
  for (unsigned int i = 0; i < size; ++i) {
    constexpr const char* letters = "0123456789abcdef";
    out += letters[digest.at(i) >> 4U];
    out += letters[digest.at(i) & 15U];
  }
  return out;
}

Reply with_status(int status) {
  Reply reply;
  reply.status = status;
  reply.body = "{}";
  return reply;
}

}  // namespace

WebhookReceiver::WebhookReceiver(std::string secret, std::string path)
    : secret_(std::move(secret)), path_(std::move(path)) {}
WebhookReceiver::~WebhookReceiver() { stop(); }

void WebhookReceiver::replace_secret(std::string secret) {
  const auto held = lock();
  secret_ = std::move(secret);
}

void WebhookReceiver::answer_all_with(int status, const std::string& header) {
  const auto held = lock();
  status_ = status;
  const std::size_t colon = header.find(": ");
  header_ = colon == std::string::npos ? std::pair<std::string, std::string>()
                                       : std::pair(header.substr(0, colon), header.substr(colon + 2));
}

void WebhookReceiver::expect_time(std::int64_t seconds) {
  const auto held = lock();
  now_ = seconds;
}

bool WebhookReceiver::genuine(const Request& request) const {
  const std::string timestamp = request.header("x-graftd-timestamp");
  const std::string expected = expected_signature(secret_, timestamp + "." + request.body);
  const bool fresh = now_ == 0 || std::llabs(std::atoll(timestamp.c_str()) - now_) <= oldest;
  std::istringstream signatures(request.header("x-graftd-signature"));
  for (std::string each; std::getline(signatures >> std::ws, each, ',');)
    if (each == expected) return fresh;
  return false;
}

Reply WebhookReceiver::answer(const Request& request) {
  if (request.method != "POST" || request.path != path_) return with_status(404);
  if (!genuine(request)) {
    ++refused_;
    return with_status(401);
  }
  const std::string delivery = request.header("x-graftd-delivery");
  if (status_ != 0) {
    Reply reply = with_status(status_);
    if (!header_.first.empty()) reply.headers.insert(header_);
    return reply;
  }
  if (++seen_[delivery] == 1)
    taken_.push_back({delivery, request.header("x-graftd-event"), request.body,
                      std::atoll(request.header("x-graftd-timestamp").c_str())});
  return with_status(200);
}

std::vector<Taken> WebhookReceiver::taken() const {
  const auto held = lock();
  return taken_;
}

std::vector<std::string> WebhookReceiver::bodies() const {
  std::vector<std::string> out;
  for (const Taken& each : taken()) out.push_back(each.body);
  return out;
}

std::map<std::string, int> WebhookReceiver::seen() const {
  const auto held = lock();
  return seen_;
}

int WebhookReceiver::refused() const {
  const auto held = lock();
  return refused_;
}

}  // namespace graft::doubles
