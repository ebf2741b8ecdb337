#include "settings.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace graft::simulator {
namespace {

struct Row {
  std::string_view name;
  void (*read)(const std::string& value, Settings& settings);
};

bool is_true(const std::string& value) {
  return value == "1" || ascii_lower(value) == "true" || ascii_lower(value) == "t";
}

constexpr std::array<Row, 7> rows{{
    {"GF_AUTH_BASIC_ENABLED", [](const std::string& v, Settings& s) { s.basic_auth = is_true(v); }},
    {"GF_SECURITY_DISABLE_BRUTE_FORCE_LOGIN_PROTECTION",
     [](const std::string& v, Settings& s) { s.brute_force_protection = !is_true(v); }},
    {"GF_SECURITY_BRUTE_FORCE_LOGIN_PROTECTION_MAX_ATTEMPTS",
     [](const std::string& v, Settings& s) { s.brute_force_attempts = to_integer(v).value_or(5); }},
    {"GF_AUTH_API_KEY_MAX_SECONDS_TO_LIVE",
     [](const std::string& v, Settings& s) { s.key_max_seconds = to_integer(v).value_or(-1); }},
    {"GF_SERVICE_ACCOUNTS_TOKEN_EXPIRATION_DAY_LIMIT",
     [](const std::string& v, Settings& s) { s.token_day_limit = to_integer(v).value_or(-1); }},
    {"GF_DASHBOARDS_MIN_REFRESH_INTERVAL", [](const std::string& v, Settings& s) { s.min_refresh_interval = v; }},
    {"GF_UNIFIED_STORAGE_MAX_PAGE_SIZE_BYTES",
     [](const std::string& v, Settings& s) {
       if (const auto bytes = to_integer(v); bytes && *bytes > 0) s.max_page_bytes = static_cast<std::size_t>(*bytes);
     }},
}};

}  // namespace

Settings read_settings(const std::map<std::string, std::string>& variables) {
  Settings settings;
  for (const Row& row : rows) {
    const auto found = variables.find(std::string(row.name));
    if (found != variables.end()) row.read(found->second, settings);
  }
  return settings;
}

bool is_known_setting(std::string_view name) {
  return std::ranges::any_of(rows, [&](const Row& row) { return row.name == name; });
}

}  // namespace graft::simulator
