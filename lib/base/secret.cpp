#include "base/secret.hpp"

#include <openssl/crypto.h>
#include <utility>

namespace graft {

void wipe(std::string& buffer) {
  // The whole capacity: a shrunk string keeps old bytes beyond its size.
  buffer.resize(buffer.capacity());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  buffer.clear();
}

Secret::Secret(std::string&& value) : value_(value) { wipe(value); }

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(value_);
    value_ = std::move(other.value_);
    wipe(other.value_);
  }
  return *this;
}

Secret::~Secret() { wipe(value_); }

Secret Secret::clone() const { return Secret(std::string(value_)); }

}  // namespace graft
