// The shapes Grafana's replies come in: plain messages, coded errors, refusals, Kubernetes Status objects.
#pragma once

#include <string>
#include <string_view>

#include "json.hpp"
#include "message.hpp"

namespace graft::simulator {

inline constexpr auto json_utf8 = "application/json; charset=UTF-8";

Reply json_reply(const Json& body, int status = 200);
Reply message_reply(int status, std::string_view message);
Reply coded_reply(int status, std::string_view id, std::string_view message);     // errutil
Reply folder_reply(int status, std::string_view code, std::string_view message);  // {"status","message"}
Reply text_reply(int status, std::string_view text);
Reply bad_request();                         // "bad request data"
Reply bad_request_sa();                      // "Bad request data", as service accounts write it
Reply route_not_found();                     // of the router itself
Reply not_simulated(std::string_view what);  // 501, ours
Reply access_denied(std::string_view permissions);
Reply unauthorized(std::string_view id, std::string_view message);
Reply unauthorized_without_id();
Reply redirect(std::string_view location);

// metav1.Status. `reason` may be empty; details are left out when null.
Reply status_reply(int code, std::string_view message, std::string_view reason = "", const Json& details = nullptr);

}  // namespace graft::simulator
