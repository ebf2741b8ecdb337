#include "grafana/errors.hpp"

#include <doctest/doctest.h>

#include "grafana/capabilities.hpp"
#include "grafana/service_accounts.hpp"

using namespace graft;
using namespace graft::grafana;

namespace {
Reply reply(int status, std::string body, std::string type = "application/json") {
  Reply made;
  made.status = status;
  made.body = std::move(body);
  made.content_type = std::move(type);
  return made;
}
}  // namespace

TEST_CASE("Grafana's five error shapes become one error") {
  struct Row {
    const char* name;
    Reply reply;
    ErrorCode code;
    const char *server_code, *said;
    bool retryable;
  };
  const std::vector<Row> rows{
      {"plain", reply(409, R"({"message":"Organization name taken"})"), ErrorCode::conflict, "",
       "Organization name taken", false},
      {"errutil", reply(400, R"({"message":"m","messageId":"serviceaccounts.ErrAlreadyExists","statusCode":400})"),
       ErrorCode::rejected, "serviceaccounts.ErrAlreadyExists", "m", false},
      {"rbac", reply(403, R"({"title":"Access denied","message":"You'll need","accessErrorId":"ACE0123456789"})"),
       ErrorCode::forbidden, "", "You'll need", false},
      {"dashboard", reply(412, R"({"status":"version-mismatch","message":"changed"})"), ErrorCode::conflict,
       "version-mismatch", "changed", false},
      {"kubernetes",
       reply(404, R"({"kind":"Status","status":"Failure","message":"not found","reason":"NotFound","code":404})"),
       ErrorCode::not_found, "NotFound", "not found", false},
      {"text", reply(429, "too many", "text/plain"), ErrorCode::unavailable, "", "too many", true},
      {"proxy", reply(502, "<html>bad gateway</html>", "text/html"), ErrorCode::unavailable, "",
       "<html>bad gateway</html>", true},
      {"locked", reply(401, R"({"message":"Invalid username or password","messageId":"password-auth.failed"})"),
       ErrorCode::unauthenticated, "password-auth.failed", "Invalid username or password", false},
      {"not a member", reply(500, R"({"kind":"Status","message":"namespace mismatch"})"), ErrorCode::forbidden, "",
       "namespace mismatch", false},
      {"html login page", reply(200, "<html>login</html>", "text/html"), ErrorCode::protocol, "", "<html>login</html>",
       false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Error error = error_of("doing", row.reply);
    CHECK(error.code == row.code);
    CHECK(error.server_code == row.server_code);
    CHECK(error.server_text == row.said);
    CHECK(error.retryable == row.retryable);
    CHECK(error.message.find("doing") == 0);
  }
}

TEST_CASE("a redirect is an error that names where it leads") {
  Reply made = reply(302, "", "text/html");
  made.location = "/login?redirectTo=%2F";
  const Error error = error_of("listing", made);
  CHECK(error.code == ErrorCode::protocol);
  CHECK(error.message.find("/login?redirectTo") != std::string::npos);
  CHECK(error.hint.find("grafana.url") != std::string::npos);
}

TEST_CASE("only a 401 about the login itself is a refused login") {
  CHECK(is_refused_login(reply(401, R"({"messageId":"password-auth.failed"})")));
  CHECK(is_refused_login(reply(401, "Unauthorized", "text/plain")));
  CHECK_FALSE(is_refused_login(reply(401, R"({"messageId":"identity.disabled"})")));
  CHECK_FALSE(is_refused_login(reply(403, R"({"message":"no"})")));
}

TEST_CASE("server text cannot carry control characters or be endless") {
  const Error error = error_of("doing", reply(400, "{\"message\":\"a\\u0000b\\n" + std::string(5000, 'x') + "\"}"));
  CHECK(error.server_text.size() < 600);
  CHECK(error.server_text.find('\n') == std::string::npos);
}

TEST_CASE("the derived login of an account is Grafana's own rule") {
  CHECK(derived_login(OrgId(2), "test") == "sa-2-test");
  CHECK(derived_login(OrgId(16), "My Robot") == "sa-16-my-robot");
  CHECK(derived_login(OrgId(3), "x--y") == "sa-3-x--y");
  CHECK(derived_login(OrgId(3), "Zürich/É_1.@") == "sa-3-zürich/é_1.@");
}

TEST_CASE("organization 1 is the namespace default, others are named by number") {
  CHECK(namespace_of(OrgId(1)) == "default");
  CHECK(namespace_of(OrgId(7)) == "org-7");
  CHECK(content_routes(OrgId(7)).dashboards == "/apis/dashboard.grafana.app/v0alpha1/namespaces/org-7/dashboards");
}

TEST_CASE("a server without the Kubernetes-style API is refused with what is missing") {
  const Status status = content_supported({true, false});
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unsupported);
  CHECK(status.error().message.find("folder.grafana.app/v1beta1") != std::string::npos);
  CHECK(content_supported({true, true}));
}
