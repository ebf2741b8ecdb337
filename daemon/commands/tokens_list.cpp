#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.hpp"
#include "daemon/commands/running.hpp"
#include "daemon/exit_codes.hpp"
#include "status/documents.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;
using state::SlotKey;
using state::SlotRecord;
using status::Slots;

std::string sinks_of(const SlotRecord& record) {
  std::string names;
  for (const state::SinkRecord& sink : record.sinks) names += (names.empty() ? "" : ", ") + sink.name;
  return names.empty() ? "-" : names;
}

std::string until(const std::optional<WallTime>& time, WallTime now) {
  if (!time) return "never";
  return *time <= now ? rough(now - *time) + " ago" : "in " + rough(*time - now);
}

using Row = std::array<std::string, 7>;

Row row_of(const SlotKey& key, const SlotRecord& record, WallTime now) {
  const auto& in_use = record.in_use;
  return {status::slot_name(key, record),
          in_use ? std::to_string(in_use->generation) : "-",
          std::string(status::slot_state(record, now)),
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
    if (!record.problem.empty()) out += fmt::format("{}: {}\n", status::slot_name(key, record), record.problem);
  return out;
}

}  // namespace

int tokens_list_command(const Options& options, const ConfigSource& source) {
  const std::optional<Settings> known = settings_to_look(source);
  if (!known) return exit_bad_config;
  const Settings& settings = *known;
  const Result<state::Opened> opened = state::open_store(settings.state_directory, state::OpenMode::read_only);
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
  const json document = json::parse(status::tokens_document(&*slots, now));
  std::puts(document.at("tokens").dump(2, ' ', false, json::error_handler_t::replace).c_str());
  return exit_ok;
}

}  // namespace graft::daemon
