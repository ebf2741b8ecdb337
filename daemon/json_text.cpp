#include "daemon/json_text.hpp"

#include <nlohmann/json.hpp>

namespace graft::daemon {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace graft::daemon
