// Organization, OrganizationMember, ServiceAccount, ServiceAccountToken: what they refuse, and what becomes of them.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "kinds/organization_member_spec.hpp"
#include "kinds/organization_spec.hpp"
#include "kinds/service_account_spec.hpp"
#include "kinds/service_account_token_spec.hpp"
#include "unit/kinds/loading.hpp"

using namespace graft;
using namespace graft::test;

namespace {

std::string organization(std::string_view name) {
  return fmt::format("---\napiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {}}}\n", name);
}

std::string account(std::string_view name) {
  return document("ServiceAccount", fmt::format("name: {}", name), "{role: Viewer}");
}

std::string token(std::string_view fields, std::string_view name = "t", std::string_view path = "o/t") {
  return account("a") +
         document("ServiceAccountToken", fmt::format("name: {}", name),
                  fmt::format("{{serviceAccount: a, deliverTo: [{{file: {{path: {}}}}}]{}}}", path, fields));
}

struct Case {
  std::string text;
  std::string_view expected;
};

void each_is_refused(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    CAPTURE(each.text);
    const auto result = load_text(each.text);
    CHECK(result.state == nullptr);
    CHECK_MESSAGE(says(result, each.expected), report(result));
  }
}

}  // namespace

TEST_CASE("names that Grafana refuses or that could reach a header are refused") {
  each_is_refused({
      {organization("\"\""), "error: Organization: metadata.name: must not be empty"},
      {organization("\"  \""), "must not be blanks only"},
      {organization("\"a\\nb\""), "has a line break or another control character in it"},
      {organization("\"a\\x7f\""), "control character"},
      {organization(std::string(191, 'x')), "has 191 characters (at most 190"},
      {organization("[x]"), "name: expected a string, found a list"},
      {organization("5"), "name: expected a string, found a number (5) (quote it: \"5\")"},
      {"apiVersion: graftd/v1\nkind: Organization\n", "error: Organization: metadata.name is missing"},
      {"apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o, organization: p}\n",
       "Organization lives in no organization"},
      {"apiVersion: graftd/v1\nkind: Organization\nmetadata: {name: o}\nspec: {previousNames: [x]}\n",
       "previousNames is not supported yet"},
      {document("ServiceAccount", "name: \"a\\tb\"", "{role: Admin}"), "name: \"a b\" has a line break"},
      {document("OrganizationMember", "", "{login: \"a\\nb\", role: Admin}"), "login: \"a b\" has a line break"},
      {token("", "\"t\\n\""), "control character"},
      {token("", std::string(151, 'x')), "has 151 characters (at most 150"},
  });
}

TEST_CASE("names are used as written; blanks at their ends are warned of") {
  const auto result = load_text(organization("Main Org.") + organization("\" Zürich/é \""));
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(find(result, "Organization Main Org.") != nullptr);
  CHECK(canonical_of(result, "Organization  Zürich/é ") == R"({"name":" Zürich/é "})");
  CHECK(
      says(result,
           "m.yaml:8:18: warning: Organization  Zürich/é : metadata.name: \" Zürich/é \" begins or ends with a blank"));
}

TEST_CASE("a member is known by login or e-mail, exactly one, and has a role") {
  const auto result = load_text(document("OrganizationMember", "", "{login: Jane, role: Editor}") +
                                document("OrganizationMember", "", "{email: joe@example.org, role: None}"));
  REQUIRE_MESSAGE(result.state != nullptr, report(result));
  CHECK(canonical_of(result, "OrganizationMember o/Jane") == R"({"login":"Jane","role":"Editor"})");
  CHECK(canonical_of(result, "OrganizationMember o/joe@example.org") == R"({"email":"joe@example.org","role":"None"})");
  CHECK(find(result, "OrganizationMember o/Jane")->summary == "(Editor)");
  each_is_refused({
      {document("OrganizationMember", "", "{role: Editor}"), "login or email is missing"},
      {document("OrganizationMember", "", "{login: a, email: a@b, role: Editor}"), "both login and email are given"},
      {document("OrganizationMember", "", "{login: a}"),
       "OrganizationMember o/a: the field \"role\" is missing (role: one of None"},
      {document("OrganizationMember", "", "{login: a, role: admin}"),
       "role: \"admin\" is none of None, Viewer, Editor, Admin (did you mean \"Admin\"?)"},
      {document("OrganizationMember", "", "{login: a, role: Owner}"), "role: \"Owner\" is none of"},
      {document("OrganizationMember", "", "{email: jane, role: Admin}"), "email: \"jane\" has no @"},
      {document("OrganizationMember", "name: a", "{login: a, role: Admin}"), "OrganizationMember has no metadata.name"},
      {document("OrganizationMember", "", "{login: Jane, role: Admin}") +
           document("OrganizationMember", "", "{login: jane, role: Admin}"),
       "are one user: Grafana ignores case here (also at m.yaml:"},
  });
}

TEST_CASE("the same login in two organizations is two members") {
  const auto result = load_text(
      "apiVersion: graftd/v1\nkind: OrganizationMember\nmetadata: {organization: p}\nspec: {login: a, role: Admin}\n" +
      document("OrganizationMember", "", "{login: A, role: Admin}"));
  CHECK_MESSAGE(result.state != nullptr, report(result));
}

TEST_CASE("accounts whose logins collide in Grafana are refused, naming both") {
  CHECK(kinds::account_slug("A B") == "a-b");
  CHECK(kinds::account_slug("x--y Ü/1") == "x--y-ü/1");
  each_is_refused({
      {account("A B") + account("a-b"), "ServiceAccount o/a-b and \"A B\" would have one login in Grafana"},
      {account("Ü") + account("ü"), "would have one login"},
      {account("extsvc-x"), "names that begin with extsvc- are reserved by Grafana"},
      {account("Extsvc X"), "reserved by Grafana"},
      {account("a") + account("a"), "ServiceAccount o/a is declared twice (also at m.yaml:2:1"},
      {document("ServiceAccount", "", "{role: Admin}"), "the name of the service account is missing"},
      {document("ServiceAccount", "name: a", "{disabled: false}"), "the field \"role\" is missing"},
      {document("ServiceAccount", "name: a", "{role: Admin, disabled: yes}"),
       "disabled: expected true or false, found a string"},
      {document("ServiceAccount", "name: a", "{role: Admin, token: []}"),
       "unknown field \"token\" (did you mean \"tokens\"?)"},
  });
  CHECK(load_text(account("A B") + "---\napiVersion: graftd/v1\nkind: ServiceAccount\nmetadata: {name: a-b, "
                                   "organization: p}\nspec: {role: Admin}\n")
            .state != nullptr);
}

TEST_CASE("a token's times are kept in seconds, and default to 30 days") {
  const auto result = load_text(token(", ttl: 90d, rotateBefore: 1w, grace: 1h30m"));
  CHECK(
      canonical_of(result, "ServiceAccountToken o/a/t") ==
      R"({"account":"a","deliverTo":[{"file":{"mode":"0600","path":"o/t"}}],"grace":5400,"name":"t","rotateBefore":604800,"ttl":7776000})");
  CHECK(find(load_text(token("")), "ServiceAccountToken o/a/t")->summary == "ttl 30d → file o/t");
  const auto never = load_text(token(", ttl: never"));
  CHECK(canonical_of(never, "ServiceAccountToken o/a/t").ends_with(R"("rotateBefore":null,"ttl":null})"));
  CHECK(find(never, "ServiceAccountToken o/a/t")->summary == "ttl never → file o/t");
  for (const std::string_view sound : {", ttl: 3s", ", ttl: 3650d", ", ttl: 2s, rotateBefore: 1s",
                                       ", ttl: 10s, rotateBefore: 9s", ", ttl: 3s, rotateBefore: 1s"}) {
    CAPTURE(sound);
    CHECK(load_text(token(sound)).state != nullptr);
  }
}

TEST_CASE("a token's times must make sense together") {
  each_is_refused({
      {token(", ttl: 0s"), "ttl: a key must live for at least 1s"},
      {token(", ttl: 3651d"), "ttl: at most ten years"},
      {token(", ttl: 30"), "ttl: expected a duration, found a number (30) (with a unit"},
      {token(", ttl: Never"), "ttl: \"Never\" is not a duration"},
      {token(", ttl: -1d"), "ttl: \"-1d\" is not a duration"},
      {token(", ttl: 10d, rotateBefore: 10d"), "rotateBefore: 10d is not less than the ttl of 10d"},
      {token(", rotateBefore: 31d"), "rotateBefore: 31d is not less than the ttl of 30d"},
      {token(", rotateBefore: 0s"), "rotateBefore: must be longer than 0s"},
      {token(", ttl: never, rotateBefore: 1d"), "rotateBefore: a key that never expires has no end"},
      {token(", ttl: 1s"),
       "ttl: 1s leaves no time to replace a key before its end: rotateBefore would be a third of it"},
      {token(", ttl: 2s"), "ttl: 2s leaves no time to replace a key before its end"},
      {token(", ttl: 1s, rotateBefore: 1s"), "rotateBefore: 1s is not less than the ttl of 1s"},
      {token(", rotateBefore: 1d, grace: 24h"), "grace: 1d is not less than rotateBefore (1d)"},
      {token(", ttl: 3d, grace: 1d"), "grace: 1d is not less than rotateBefore (1d)"},
  });
}

TEST_CASE("a token's file keeps owner, group and mode") {
  const auto with = [](std::string_view file) {
    return account("a") + document("ServiceAccountToken", "name: t",
                                   fmt::format("{{serviceAccount: a, deliverTo: [{{file: {{{}}}}}]}}", file));
  };
  CHECK(canonical_of(load_text(with("path: o/t, owner: agent, group: agents, mode: \"0640\"")),
                     "ServiceAccountToken o/a/t")
            .find(R"({"file":{"group":"agents","mode":"0640","owner":"agent","path":"o/t"}})") != std::string::npos);
  CHECK(canonical_of(load_text(with("path: o/t, mode: 0440")), "ServiceAccountToken o/a/t").find(R"("mode":"0440")") !=
        std::string::npos);
  each_is_refused({
      {with("path: o/t, mode: 640"), "mode: expected a string, found a number (640)"},
      {with("path: o/t, mode: \"0602\""), "mode: \"0602\" lets everybody write the key"},
      {with("path: o/t, mode: \"0666\""), "lets everybody write the key"},
      {with("path: o/t, mode: \"4600\""), "special bits"},
      {with("path: o/t, mode: \"0200\""), "not even its owner could read"},
      {with("path: o/t, mode: \"0689\""), "is no file mode"},
      {with("path: o/t, mode: rw"), "is no file mode"},
      {with("path: o/t, owner: \"a b\""), "is no name of a user or group"},
      {with("path: o/t, owner: -x"), "is no name of a user or group"},
      {with("mode: \"0600\""), "the field \"path\" is missing"},
      {with("path: o/t, mod: x"), "unknown field \"mod\" (did you mean \"mode\"?)"},
  });
}

TEST_CASE("a token's path stays below the token directory and off our own files") {
  for (const std::string_view bad :
       {"\"\"", "/etc/passwd", "../x", "a/../b", "a/..", "..", ".", "./a", "a/./b", "a//b", "a/", "/", ".hidden",
        "a/.t.graftd", "\"a\\nb\"", "\"a\\x7f\"", "\"a\\\\b\"", "\"..\\\\x\""}) {
    CAPTURE(bad);
    const auto result = load_text(token("", "t", bad));
    CHECK(result.state == nullptr);
    CHECK(result.diagnostics.error_count() == 1);
    CHECK(says(result, "path: "));
  }
  CHECK(load_text(token("", "t", std::string(200, 'x'))).state != nullptr);
  CHECK(load_text(token("", "t", std::string(201, 'x'))).state == nullptr);
  CHECK(load_text(token("", "t", "a..b/c...d")).state != nullptr);
}

TEST_CASE("two tokens never share a file, in one organization or two") {
  const std::string other =
      "---\napiVersion: graftd/v1\nkind: ServiceAccount\nmetadata: {name: b, organization: p}\nspec: {role: Admin, "
      "tokens: [{name: u, "
      "deliverTo: [{file: {path: ";
  each_is_refused({
      {token("") + other + "o/t}}]}]}\n",
       "ServiceAccountToken p/b/u: ServiceAccountToken o/a/t delivers to the same place, file o/t (also at "
       "m.yaml:7:1)"},
      {token("") + other + "o/t/x}}]}]}\n",
       "\"o/t/x\" cannot lie below \"o/t\", which is the key file of ServiceAccountToken o/a/t"},
      {token("") + other + "o}}]}]}\n",
       "\"o/t\" cannot lie below \"o\", which is the key file of ServiceAccountToken p/b/u"},
  });
  CHECK_MESSAGE(load_text(token("") + other + "o/tt}}]}]}\n").state != nullptr, "a longer name is another file");
  CHECK(load_text(token("") + other + "O/t}}]}]}\n").state != nullptr);
}

TEST_CASE("a token says where it goes and whose it is") {
  const auto deliver = [](std::string_view list) {
    return account("a") +
           document("ServiceAccountToken", "name: t", fmt::format("{{serviceAccount: a, deliverTo: {}}}", list));
  };
  each_is_refused({
      {deliver("[]"), "deliverTo: is empty"},
      {deliver("{file: {path: x}}"), "deliverTo: expected a list, found a map"},
      {deliver("[{}]"), "deliverTo: each entry is exactly one of file, kubernetesSecret and vault"},
      {deliver("[{file: {path: x}, vault: {path: x}}]"), "deliverTo: each entry is exactly one of"},
      {deliver("[{file: {path: x}}, {file: {path: x, mode: \"0640\"}}]"),
       "m.yaml:10:65: error: ServiceAccountToken o/t: deliverTo: file x is named twice (also at m.yaml:10:46)"},
      {deliver("[{vault: {path: x}}, {vault: {mount: secret, path: x, field: token}}]"),
       "deliverTo: vault secret/x#token is named twice"},
      {deliver(
           "[{kubernetesSecret: {namespace: n, name: s}}, {kubernetesSecret: {namespace: n, name: s, key: token}}]"),
       "deliverTo: secret n/s/token is named twice"},
      {deliver("[{file: {path: x}}, {file: {path: x/y}}]"), "\"x/y\" cannot lie below \"x\""},
      {deliver("[{fil: {path: x}}]"), "unknown field \"fil\" (did you mean \"file\"?)"},
      {deliver("[x]"), "expected a map, found a string"},
      {account("a") + document("ServiceAccountToken", "name: t", "{serviceAccount: a}"),
       "the field \"deliverTo\" is missing"},
      {account("a") + document("ServiceAccountToken", "name: t", "{deliverTo: [{file: {path: x}}]}"),
       "the field \"serviceAccount\" is missing"},
      {account("tset") +
           document("ServiceAccountToken", "name: t", "{serviceAccount: test, deliverTo: [{file: {path: x}}]}"),
       "ServiceAccountToken o/test/t needs ServiceAccount o/test, which no manifest declares (did you mean \"tset\"?)"},
      {document("ServiceAccount", "name: a",
                "{role: Admin, tokens: [{name: t, serviceAccount: b, deliverTo: [{file: {path: x}}]}]}"),
       "serviceAccount: \"b\" is not the account that this token is nested in"},
      {document("ServiceAccount", "name: a", "{role: Admin, tokens: [{deliverTo: [{file: {path: x}}]}]}"),
       "the name of the token is missing"},
      {token("") + document("ServiceAccountToken", "name: t", "{serviceAccount: a, deliverTo: [{file: {path: x}}]}"),
       "ServiceAccountToken o/a/t is declared twice"},
  });
}

TEST_CASE("a token goes to files, Secrets and Vault alike, in the order that was written") {
  const auto result = load_text(account("a") + document("ServiceAccountToken", "name: t",
                                                        "{serviceAccount: a, deliverTo: [{file: {path: o/t}}, "
                                                        "{kubernetesSecret: {namespace: mon, name: a.b-c}}, "
                                                        "{vault: {path: grafana/o}}]}"));
  CHECK(canonical_of(result, "ServiceAccountToken o/a/t") ==
        R"({"account":"a","deliverTo":[{"file":{"mode":"0600","path":"o/t"}},)"
        R"({"kubernetesSecret":{"key":"token","name":"a.b-c","namespace":"mon"}},)"
        R"({"vault":{"field":"token","mount":"secret","path":"grafana/o"}}],)"
        R"("grace":null,"name":"t","rotateBefore":null,"ttl":2592000})");
  CHECK(find(result, "ServiceAccountToken o/a/t")->summary ==
        "ttl 30d → file o/t, secret mon/a.b-c/token, vault secret/grafana/o#token");
}

TEST_CASE("two tokens never share an entry of a Secret or a field of Vault, in one organization or two") {
  const auto two = [](std::string_view first, std::string_view second) {
    return account("a") +
           document("ServiceAccountToken", "name: t",
                    fmt::format("{{serviceAccount: a, deliverTo: [{{file: {{path: x}}}}, {}]}}", first)) +
           "---\napiVersion: graftd/v1\nkind: ServiceAccount\nmetadata: {name: b, organization: p}\nspec: {role: "
           "Admin, "
           "tokens: [{name: u, deliverTo: [" +
           std::string(second) + "]}]}\n";
  };
  each_is_refused({
      {two("{kubernetesSecret: {namespace: n, name: s}}", "{kubernetesSecret: {namespace: n, name: s, key: token}}"),
       "ServiceAccountToken p/b/u: ServiceAccountToken o/a/t delivers to the same place, secret n/s/token (also at "
       "m.yaml:7:1)"},
      {two("{vault: {path: p}}", "{vault: {mount: secret, path: p}}"),
       "ServiceAccountToken o/a/t delivers to the same place, vault secret/p#token"},
      {two("{vault: {mount: a/b, path: c}}", "{vault: {mount: a, path: b/c}}"),
       "delivers to the same place, vault a/b/c#token"},
  });
  CHECK(load_text(two("{kubernetesSecret: {namespace: n, name: s, key: a}}",
                      "{kubernetesSecret: {namespace: n, name: s, key: b}}"))
            .state != nullptr);
  CHECK(load_text(two("{vault: {path: p, field: a}}", "{vault: {path: p, field: b}}")).state != nullptr);
  CHECK_MESSAGE(load_text(two("{vault: {path: p}}", "{vault: {path: p/token}}")).state != nullptr,
                "in Vault a secret may lie below another");
}

TEST_CASE("what Kubernetes or Vault would not take as a name is refused where it stands") {
  const auto to = [](std::string_view entry) {
    return account("a") +
           document("ServiceAccountToken", "name: t", fmt::format("{{serviceAccount: a, deliverTo: [{{{}}}]}}", entry));
  };
  const auto secret = [&](std::string_view ns, std::string_view name, std::string_view key) {
    return to(fmt::format("kubernetesSecret: {{namespace: \"{}\", name: \"{}\", key: \"{}\"}}", ns, name, key));
  };
  const auto vault = [&](std::string_view mount, std::string_view path, std::string_view name) {
    return to(fmt::format("vault: {{mount: \"{}\", path: \"{}\", field: \"{}\"}}", mount, path, name));
  };
  for (const std::string& bad : {std::string(), std::string("A"), std::string("-a"), std::string("a-"),
                                 std::string("a_b"), std::string("a/b"), std::string("é"), std::string("a b")}) {
    each_is_refused(
        {{secret(bad, "s", "k"), "is no name of a namespace"}, {secret("n", bad, "k"), "is no name of a Secret"}});
  }
  each_is_refused({
      {secret("a.b", "s", "k"), "namespace: \"a.b\" is no name of a namespace"},
      {secret(std::string(64, 'n'), "s", "k"), "is no name of a namespace"},
      {secret("n", "a..b", "k"), "name: \"a..b\" is no name of a Secret"},
      {secret("n", ".a", "k"), "is no name of a Secret"},
      {secret("n", "a.-b", "k"), "is no name of a Secret"},
      {secret("n", std::string(254, 's'), "k"), "is no name of a Secret"},
      {secret("n", "s", ""), "key: \"\" is no key of a Secret"},
      {secret("n", "s", "a/b"), "is no key of a Secret"},
      {secret("n", "s", "."), "is no key of a Secret"},
      {secret("n", "s", "..a"), "is no key of a Secret"},
      {secret("n", "s", std::string(254, 'k')), "is no key of a Secret"},
      {to("kubernetesSecret: {name: s}"), "the field \"namespace\" is missing"},
      {to("kubernetesSecret: {namespace: n}"), "the field \"name\" is missing"},
      {to("kubernetesSecret: {namespace: n, nam: s}"), "unknown field \"nam\" (did you mean \"name\"?)"},
      {to("kubernetes: {}"), "unknown field \"kubernetes\""},
      {to("vault: {}"), "the field \"path\" is missing"},
      {vault("m", "", "f"), "path: \"\" must not be empty"},
      {vault("", "p", "f"), "mount: \"\" must not be empty"},
      {vault("m", "p", ""), "field: \"\" must not be empty"},
      {vault("m", "/p", "f"), "path: \"/p\" has an empty part"},
      {vault("m/", "p", "f"), "mount: \"m/\" has an empty part"},
      {vault("m", "a//b", "f"), "has an empty part"},
      {vault("m", "a/../b", "f"), "has a part that is . or .."},
      {vault("m", ".", "f"), "has a part that is . or .."},
      {vault("m", "a\\nb", "f"), "control character"},
      {vault("m", "a#b", "f"), "path: \"a#b\" has a # in it"},
      {vault("m", "p", "a#b"), "field: \"a#b\" has a # in it"},
      {vault("m", "p", "token_graftd"), "field: \"token_graftd\" ends in _graftd"},
      {vault("m", std::string(513, 'p'), "f"), "longer than 512 bytes"},
  });
  CHECK(load_text(secret(std::string(63, 'n'), std::string(253, 's'), std::string(253, 'k'))).state != nullptr);
  CHECK(load_text(secret("0-a", "0.a-b.c", "_.A-")).state != nullptr);
  CHECK(load_text(vault("team a/kv", "größe/...", "f g")).state != nullptr);
}

TEST_CASE("canonical text reads back as the spec that it was written from") {
  const kinds::ServiceAccountTokenSpec token_spec{
      "a b",
      "t",
      std::nullopt,
      std::chrono::seconds(60),
      std::chrono::seconds(7),
      {kinds::FileDelivery{"o/t", "agent", "", "0640"}, kinds::KubernetesDelivery{"n", "s", "k"},
       kinds::VaultDelivery{"m", "p/q", "f"}}};
  const auto read = kinds::service_account_token_from_canonical(kinds::canonical(token_spec));
  REQUIRE(read.has_value());
  CHECK(kinds::canonical(*read) == kinds::canonical(token_spec));
  CHECK(read->account == "a b");
  CHECK_FALSE(read->ttl.has_value());
  CHECK(read->rotate_before == std::chrono::seconds(60));
  CHECK(std::get<kinds::FileDelivery>(read->deliveries.front()).mode_bits() == 0640U);
  CHECK(kinds::target_of(read->deliveries.at(1)) == "secret n/s/k");
  CHECK(kinds::target_of(read->deliveries.at(2)) == "vault m/p/q#f");
  const auto account_spec =
      kinds::service_account_from_canonical(kinds::canonical(kinds::ServiceAccountSpec{"a", "None", true}));
  CHECK((account_spec && account_spec->disabled && account_spec->role == "None" && account_spec->name == "a"));
  const auto member =
      kinds::organization_member_from_canonical(kinds::canonical(kinds::OrganizationMemberSpec{"", "x@y", "Admin"}));
  CHECK((member && member->login.empty() && member->login_or_email() == "x@y"));
  CHECK(kinds::organization_from_canonical(kinds::canonical(kinds::OrganizationSpec{"ü\""}))->name == "ü\"");
  CHECK_FALSE(kinds::organization_from_canonical("[1]").has_value());
  CHECK_FALSE(kinds::service_account_token_from_canonical("{}").has_value());
}
