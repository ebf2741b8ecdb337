// `graftd history`: what was changed, of the running graftd, or of the state directory when none runs.
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/running.hpp"
#include "daemon/exit_codes.hpp"
#include "model/json_fields.hpp"
#include "state/store.hpp"
#include "status/documents.hpp"

namespace graft::daemon {

namespace {

using nlohmann::json;

constexpr std::size_t usual = 100, most = 1'000;
constexpr std::size_t fields_shown = 8;

Result<std::size_t> limit_of(const Options& options) {
  const auto found = options.filters.find("limit");
  if (found == options.filters.end()) return usual;
  const std::int64_t limit = number_from(found->second);
  if (limit < 1 || limit > static_cast<std::int64_t>(most))
    return fail(ErrorCode::invalid, fmt::format("--limit is a number from 1 to {}", most));
  return static_cast<std::size_t>(limit);
}

std::string filter(const Options& options, const std::string& name) {
  const auto found = options.filters.find(name);
  return found == options.filters.end() ? std::string() : found->second;
}

Result<json> from_running(const Settings& settings, const Options& options, std::size_t limit) {
  std::string target = fmt::format("/api/v1/history?limit={}", limit);
  for (const char* name : {"kind", "organization", "name"})
    if (const std::string text = filter(options, name); !text.empty())
      target += fmt::format("&{}={}", name, url_encode(text));
  return fetch_document(settings, target);
}

Result<json> from_store(const Settings& settings, const Options& options, std::size_t limit) {
  const Result<state::Opened> opened = state::open_store(settings.state_directory, state::OpenMode::read_only);
  if (!opened) return fail(opened.error());
  state::ChangeQuery query;
  query.limit = limit;
  query.kind = filter(options, "kind");
  query.organization = filter(options, "organization");
  query.name = filter(options, "name");
  const auto changes = opened->store->changes(query);
  if (!changes) return fail(changes.error());
  return json::parse(status::history_document(*changes, false));
}

std::string as_text(const json& document) {
  std::string out;
  for (const json& change : array_of(document, "changes")) {
    const std::string organization = text_of(change, "organization"), name = text_of(change, "name");
    out += fmt::format("{}  {} {} {} {}{}  ({}, cycle {}, revision {})\n", text_of(change, "at"),
                       text_of(change, "outcome") == "failed" ? "FAILED" : "done", text_of(change, "action"),
                       text_of(change, "kind"), printable(organization),
                       name == organization ? "" : "/" + printable(name), text_of(change, "cause"),
                       number_of(change, "cycle"), status::short_revision(text_of(change, "revision")));
    std::size_t shown = 0;
    for (const json& field : array_of(change, "fields")) {
      if (++shown > fields_shown) break;
      const std::string before = text_of(field, "before"), after = text_of(field, "after");
      out += fmt::format("    {}  {} → {}\n", printable(text_of(field, "path")),
                         before.empty() ? "(none)" : printable(before), after.empty() ? "(none)" : printable(after));
    }
    if (text_of(change, "outcome") == "failed") out += "    " + printable(text_of(change, "message"), 2'000) + "\n";
  }
  return out.empty() ? "nothing was changed yet\n" : out;
}

}  // namespace

int history_command(const Options& options, const ConfigSource& source) {
  const Result<std::size_t> limit = limit_of(options);
  if (!limit) {
    std::fprintf(stderr, "graftd: %s\n", limit.error().describe().c_str());
    return exit_usage;
  }
  const std::optional<Settings> known = settings_to_look(source);
  if (!known) return exit_bad_config;
  const Settings& settings = *known;
  Result<json> document = from_running(settings, options, *limit);
  if (!document && document.error().code == ErrorCode::unavailable) document = from_store(settings, options, *limit);
  if (!document) return complain_about(document.error());
  std::fputs(options.output == Output::json
                 ? (document->dump(2, ' ', false, json::error_handler_t::replace) + "\n").c_str()
                 : as_text(*document).c_str(),
             stdout);
  return exit_ok;
}

}  // namespace graft::daemon
