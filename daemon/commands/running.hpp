// What the commands share that speak to a running graftd.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "admin/client.hpp"
#include "daemon/settings.hpp"

namespace graft::daemon {

// Asks over the Unix socket of the settings. Errors: unavailable (no graftd runs there), forbidden, timeout, protocol.
[[nodiscard]] Result<admin::Reply> ask_running(const Settings& settings, const admin::Call& call);

// The same, for a document; anything but 200 is an Error with the server's words.
[[nodiscard]] Result<nlohmann::json> fetch_document(const Settings& settings, const std::string& target);

// To standard error; the exit code that fits.
[[nodiscard]] int complain_about(const Error& error);

// "29d 23h": two units are enough for a person.
[[nodiscard]] std::string rough(std::chrono::seconds duration);

}  // namespace graft::daemon
