#include "daemon/commands/running.hpp"

#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/exit_codes.hpp"
#include "daemon/front.hpp"
#include "model/json_fields.hpp"

namespace graft::daemon {

using nlohmann::json;

Result<admin::Reply> ask_running(const Settings& settings, const admin::Call& call) {
  const std::string socket = socket_path(settings);
  if (socket.empty())
    return fail(Error(ErrorCode::unavailable, "there is no Unix socket to ask a running graftd by")
                    .with_hint("http.socket names it; the directory of its default path, /run/graftd, does not exist"));
  Result<admin::Reply> reply = admin::call(socket, call);
  if (reply || reply.error().code != ErrorCode::unavailable) return reply;
  Error error = std::move(reply.error());
  return fail(std::move(error)
                  .context("no graftd answers on " + socket)
                  .with_hint("is it running, and with this configuration?"));
}

Result<json> fetch_document(const Settings& settings, const std::string& target) {
  Result<admin::Reply> reply = ask_running(settings, {"GET", target, {}});
  if (!reply) return fail(std::move(reply.error()));
  json document = json::parse(reply->body, nullptr, false);
  if (reply->status == 200 && !document.is_discarded()) return document;
  return fail(Error(ErrorCode::protocol, fmt::format("{} answered {}", target, reply->status))
                  .with_server_text(document.is_discarded() ? reply->body : text_of(document, "error")));
}

int complain_about(const Error& error) {
  std::fprintf(stderr, "graftd: %s\n", error.describe().c_str());
  return error.code == ErrorCode::forbidden ? exit_refused : exit_unavailable;
}

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

}  // namespace graft::daemon
