#include "grafana/errors.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace graft::grafana {

namespace {

using nlohmann::json;

std::string text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

struct Said {
  std::string message, code;
};

Said read_body(const Reply& reply) {
  if (!is_json(reply)) return {reply.body, ""};
  const json body = json::parse(reply.body, nullptr, false);
  if (!body.is_object()) return {reply.body, ""};
  Said said{text_member(body, "message"), text_member(body, "messageId")};
  if (said.code.empty()) said.code = text_member(body, "reason");
  if (said.code.empty()) said.code = text_member(body, "status");
  return said;
}

Error refused_redirect(std::string_view what, const Reply& reply) {
  return Error(ErrorCode::protocol, fmt::format("{}: answered by a redirect (HTTP {}) to {}, which is not followed",
                                                what, reply.status, quote(reply.location)))
      .with_hint(
          "grafana.url must be Grafana's own address, with its sub-path; behind a login proxy use an address that "
          "bypasses it");
}

Error not_json(std::string_view what, const Reply& reply) {
  return Error(ErrorCode::protocol,
               fmt::format("{}: answered with HTTP {} and {} instead of JSON", what, reply.status,
                           reply.content_type.empty() ? "no content type" : printable(reply.content_type, 60)))
      .with_server_text(reply.body)
      .with_hint("a login page or a proxy answers in Grafana's place; check grafana.url");
}

ErrorCode code_of(int status) {
  switch (status) {
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
      return ErrorCode::forbidden;
    case 404:
      return ErrorCode::not_found;
    case 409:
    case 412:
      return ErrorCode::conflict;
    case 429:
      return ErrorCode::unavailable;
    default:
      return status >= 500 ? ErrorCode::unavailable : ErrorCode::rejected;
  }
}

std::string hint_for(const Error& error) {
  switch (error.code) {
    case ErrorCode::unauthenticated:
      return error.server_code == "identity.disabled"
                 ? "enable the account in Grafana"
                 : "check grafana.auth; docs/operating.md says what happens after a refused login";
    case ErrorCode::forbidden:
      return error.server_text.find("uota") != std::string::npos
                 ? "a quota of Grafana is reached; raise it ([quota] in grafana.ini) or delete something"
                 : "the login needs to be a Grafana server admin, or the key's account an Admin of its organization";
    case ErrorCode::unavailable:
      return "Grafana or a proxy before it has trouble; it is tried again";
    default:
      return {};
  }
}

}  // namespace

bool is_json(const Reply& reply) { return reply.content_type.find("json") != std::string::npos; }

bool is_refused_login(const Reply& reply) {
  if (reply.status != 401) return false;
  const std::string code = read_body(reply).code;
  return code != "identity.disabled" && code != "api-key.organization-mismatch";
}

Error error_of(std::string_view what, const Reply& reply) {
  if (reply.status >= 300 && reply.status < 400) return refused_redirect(what, reply);
  if (!is_json(reply) && reply.status < 400) return not_json(what, reply);
  const Said said = read_body(reply);
  Error error =
      Error(code_of(reply.status), fmt::format("{}: HTTP {}", what, reply.status)).with_server_text(said.message);
  error.server_code = said.code;
  error.http_status = reply.status;
  error.retryable = error.code == ErrorCode::unavailable;
  if (reply.status == 500 && said.message.find("namespace mismatch") != std::string::npos) {
    // Not a fault of the server: the login is not a member of the organization, or there is none (0.5 [run]).
    error.code = ErrorCode::forbidden;
    error.retryable = false;
  }
  error.hint = hint_for(error);
  return error;
}

}  // namespace graft::grafana
