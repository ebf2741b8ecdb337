#include "replies.hpp"

#include "text.hpp"

namespace graft::simulator {

Reply json_reply(const Json& body, int status) { return {status, "application/json", print(body), {}}; }

Reply message_reply(int status, std::string_view message) { return json_reply({{"message", message}}, status); }

Reply coded_reply(int status, std::string_view id, std::string_view message) {
  return json_reply({{"statusCode", status}, {"messageId", id}, {"message", message}}, status);
}

Reply folder_reply(int status, std::string_view code, std::string_view message) {
  return json_reply({{"status", code}, {"message", message}}, status);
}

Reply text_reply(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text), {}};
}

Reply bad_request() { return message_reply(400, "bad request data"); }

Reply bad_request_sa() { return message_reply(400, "Bad request data"); }

Reply route_not_found() { return {404, json_utf8, R"({"message":"Not found"})", {}}; }

Reply not_simulated(std::string_view what) {
  return json_reply({{"message", "the Grafana simulator does not know " + std::string(what)}}, 501);
}

Reply access_denied(std::string_view permissions) {
  const std::string message =
      "You'll need additional permissions to perform this action. Permissions needed: " + std::string(permissions);
  const Json body = {{"accessErrorId", "ACE" + random_digits(10)}, {"message", message}, {"title", "Access denied"}};
  return {403, json_utf8, print(body), {}};
}

Reply unauthorized(std::string_view id, std::string_view message) {
  const Json body = {{"extra", nullptr}, {"message", message}, {"messageId", id}, {"statusCode", 401}, {"traceID", ""}};
  return {401, json_utf8, print(body), {}};
}

Reply unauthorized_without_id() { return {401, json_utf8, R"({"message":"Unauthorized","traceID":""})", {}}; }

Reply redirect(std::string_view location) {
  const std::string link = "<a href=\"" + std::string(location) + "\">Found</a>.\n\n";
  return {302, "text/html; charset=utf-8", link, {{"Location", std::string(location)}}};
}

Reply status_reply(int code, std::string_view message, std::string_view reason, const Json& details) {
  Json body = {{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", Json::object()},
               {"status", "Failure"}, {"message", message}, {"code", code}};
  if (!reason.empty()) body["reason"] = reason;
  if (!details.is_null()) body["details"] = details;
  return json_reply(body, code);
}

}  // namespace graft::simulator
