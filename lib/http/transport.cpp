#include "http/transport.hpp"

#include "base/text.hpp"

namespace graft::http {

std::string_view Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_ascii_case(key, name)) return value;
  }
  return {};
}

}  // namespace graft::http
