#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.hpp"
#include "daemon/exit_codes.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;
using state::SlotKey;
using state::SlotRecord;
using Slots = std::vector<std::pair<SlotKey, SlotRecord>>;

// "apiorg/test/test-token"; a slot of before the store kept names shows Grafana's.
std::string slot_name(const SlotKey& key, const SlotRecord& record) {
  if (!record.organization.empty()) return record.organization + "/" + record.name;
  return fmt::format("{}/{}/{}", key.organization.value(), key.account_login, key.token);
}

std::string state_of(const SlotRecord& record, WallTime now) {
  if (!record.problem.empty()) return "attention";
  if (!record.in_use) return "pending";
  if (record.in_use->expires_at && *record.in_use->expires_at <= now) return "expired";
  const bool rotating = record.phase == state::Phase::delivering && record.generation > record.in_use->generation;
  return rotating ? "rotating" : "in use";
}

std::string sinks_of(const SlotRecord& record) {
  std::string names;
  for (const state::SinkRecord& sink : record.sinks) names += (names.empty() ? "" : ", ") + sink.name;
  return names.empty() ? "-" : names;
}

// Two units are enough for a person: "29d 23h".
std::string rough(std::chrono::seconds duration) {
  const std::int64_t seconds = duration.count();
  constexpr std::array<std::pair<std::int64_t, char>, 4> units{{{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto [size, letter] = units.at(i);
    if (seconds < size) continue;
    std::string text = fmt::format("{}{}", seconds / size, letter);
    if (i + 1 == units.size()) return text;
    const auto [lesser, small] = units.at(i + 1);
    const std::int64_t rest = seconds % size / lesser;
    return rest == 0 ? text : fmt::format("{} {}{}", text, rest, small);
  }
  return "0s";
}

std::string until(const std::optional<WallTime>& time, WallTime now) {
  if (!time) return "never";
  return *time <= now ? rough(now - *time) + " ago" : "in " + rough(*time - now);
}

using Row = std::array<std::string, 7>;

Row row_of(const SlotKey& key, const SlotRecord& record, WallTime now) {
  const auto& in_use = record.in_use;
  return {slot_name(key, record),
          in_use ? std::to_string(in_use->generation) : "-",
          state_of(record, now),
          in_use ? rough(std::max(now - in_use->delivered_at, std::chrono::seconds(0))) : "-",
          in_use ? until(in_use->expires_at, now) : "-",
          in_use ? until(in_use->rotates_at, now) : "-",
          sinks_of(record)};
}

std::string as_text(const Slots& slots, WallTime now) {
  std::vector<Row> rows{{"TOKEN", "GENERATION", "STATE", "AGE", "EXPIRES", "ROTATES", "SINKS"}};
  for (const auto& [key, record] : slots) rows.push_back(row_of(key, record, now));
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths.at(i) = std::max(widths.at(i), row.at(i).size());
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) out += fmt::format("{:<{}}  ", row.at(i), widths.at(i));
    out += row.back() + "\n";
  }
  for (const auto& [key, record] : slots)
    if (!record.problem.empty()) out += fmt::format("{}: {}\n", slot_name(key, record), record.problem);
  return out;
}

json time_json(const std::optional<WallTime>& time) { return time ? json(format_rfc3339(*time)) : json(); }

json as_json(const SlotKey& key, const SlotRecord& record, WallTime now) {
  json sinks = json::array();
  for (const state::SinkRecord& sink : record.sinks) sinks.push_back(sink.name);
  const std::size_t slash = record.name.find('/');
  json out{
      {"slot", slot_name(key, record)},
      {"organization", record.organization},
      {"organizationId", key.organization.value()},
      {"serviceAccount",
       slash == std::string::npos ? std::string() : record.name.substr(0, record.name.size() - key.token.size() - 1)},
      {"login", key.account_login},
      {"token", key.token},
      {"state", state_of(record, now)},
      {"problem", record.problem},
      {"sinks", std::move(sinks)},
      {"generation", json()},
      {"deliveredAt", json()},
      {"verifiedAt", json()},
      {"expiresAt", json()},
      {"rotatesAt", json()}};
  if (!record.in_use) return out;
  out["generation"] = record.in_use->generation;
  out["deliveredAt"] = time_json(record.in_use->delivered_at);
  out["verifiedAt"] = time_json(record.in_use->verified_at);
  out["expiresAt"] = time_json(record.in_use->expires_at);
  out["rotatesAt"] = time_json(record.in_use->rotates_at);
  return out;
}

}  // namespace

int tokens_list_command(const Options& options, const ConfigSource& source) {
  const std::optional<Settings> settings = settings_or_complain(source);
  if (!settings) return exit_bad_config;
  const Result<state::Opened> opened = state::open_store(settings->state_directory, state::OpenMode::read_only);
  const auto slots = opened ? opened->store->slots() : Result<Slots>(fail(opened.error()));
  if (!slots) {
    std::fprintf(stderr, "graftd: %s\n", slots.error().describe().c_str());
    return exit_cannot_create;
  }
  const WallTime now = system_clock().wall();
  if (options.output == Output::text) {
    std::fputs(as_text(*slots, now).c_str(), stdout);
    return exit_ok;
  }
  json list = json::array();
  for (const auto& [key, record] : *slots) list.push_back(as_json(key, record, now));
  std::puts(list.dump(2, ' ', false, json::error_handler_t::replace).c_str());
  return exit_ok;
}

}  // namespace graft::daemon
