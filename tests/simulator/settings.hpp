// Grafana settings the simulator understands, read from GF_SECTION_KEY variables. Others have no effect here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace graft::simulator {

struct Settings {
  bool basic_auth = true;                   // GF_AUTH_BASIC_ENABLED
  bool brute_force_protection = true;       // GF_SECURITY_DISABLE_BRUTE_FORCE_LOGIN_PROTECTION, the other way round
  std::int64_t brute_force_attempts = 5;    // GF_SECURITY_BRUTE_FORCE_LOGIN_PROTECTION_MAX_ATTEMPTS
  std::int64_t key_max_seconds = -1;        // GF_AUTH_API_KEY_MAX_SECONDS_TO_LIVE
  std::int64_t token_day_limit = -1;        // GF_SERVICE_ACCOUNTS_TOKEN_EXPIRATION_DAY_LIMIT
  std::string min_refresh_interval = "5s";  // GF_DASHBOARDS_MIN_REFRESH_INTERVAL
  std::size_t max_page_bytes = std::size_t{2} << 20U;  // GF_UNIFIED_STORAGE_MAX_PAGE_SIZE_BYTES
};

Settings read_settings(const std::map<std::string, std::string>& variables);
bool is_known_setting(std::string_view name);

}  // namespace graft::simulator
