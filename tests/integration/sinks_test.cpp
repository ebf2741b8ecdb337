// Keys delivered to a Kubernetes Secret and a Vault besides a file, over real sockets, by the daemon's own wiring: one
// token in three places, conflicts, outages, and the way back.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

#include "doubles/kubernetes_api.hpp"
#include "doubles/vault_server.hpp"
#include "world/world.hpp"

using namespace graft;
using namespace graft::test;
using std::chrono::seconds;

namespace {

// The doubles first: they outlive the daemon that is connected to them.
struct Place {
  doubles::KubernetesApi kubernetes;
  doubles::VaultServer vault;
  World world;

  Place() {
    kubernetes.require_token("bearer");
    vault.add_token("vault-token");
    world.directory.write("bearer", "bearer\n");
    world.directory.write("vault-token", "vault-token\n");
    world.settings.kubernetes_url = kubernetes.url();
    world.settings.kubernetes_token_file = world.directory / "bearer";
    world.settings.vault_url = vault.url();
    world.settings.vault_token_file = world.directory / "vault-token";
    world.manifest("o.yaml", one_token(world.organization(), "ttl: 30d",
                                       "[{file: {path: " + world.organization() +
                                           "/test-token}}, {kubernetesSecret: {namespace: monitoring, name: "
                                           "grafana-token}}, {vault: {path: grafana/test}}]"));
  }

  [[nodiscard]] std::string in_secret() const {
    return kubernetes.data("monitoring", "grafana-token", "token").value_or("");
  }
  [[nodiscard]] std::string in_vault() const { return vault.field("secret", "grafana/test", "token").value_or(""); }
  [[nodiscard]] bool same_everywhere() const {
    const std::string key = world.key_file();
    return !key.empty() && in_secret() == key && in_vault() == key && world.key_status(key) == 200;
  }
};

}  // namespace

TEST_CASE("one token in three places: the same key in all of them, rotated in all of them") {
  Place place;
  const reconcile::Report report = place.world.apply();
  CAPTURE(problems(report));
  REQUIRE(report.converged());
  CHECK(place.same_everywhere());
  CHECK(place.world.plan().plan.actions.empty());
  const std::string key = place.world.key_file();
  place.world.pass(std::chrono::hours(21 * 24));
  CHECK(place.world.apply().converged());
  CHECK(place.same_everywhere());
  CHECK(place.world.key_file() != key);
  CHECK(place.world.key_status(key) == 200);
  place.world.pass(std::chrono::hours(25));
  CHECK(place.world.apply().converged());
  CHECK(place.world.key_status(key) == 401);
  CHECK(place.world.tokens().size() == 1);
}

TEST_CASE("a place that lost its key, or had it changed, gets the same key again: nothing is issued") {
  Place place;
  REQUIRE(place.world.apply().converged());
  const std::string key = place.world.key_file();
  const std::vector<std::pair<const char*, std::function<void()>>> losses{
      {"Secret deleted", [&] { place.kubernetes.remove("monitoring", "grafana-token"); }},
      {"key of the Secret deleted", [&] { place.kubernetes.remove_data("monitoring", "grafana-token", "token"); }},
      {"key of the Secret changed",
       [&] { place.kubernetes.set_data("monitoring", "grafana-token", "token", "glsa_short"); }},
      {"version in Vault deleted", [&] { place.vault.delete_current("secret", "grafana/test"); }},
      {"field in Vault taken out", [&] { place.vault.remove_field("secret", "grafana/test", "token"); }},
      {"file deleted",
       [&] {
         std::filesystem::remove(place.world.directory / ("tokens/" + place.world.organization() + "/test-token"));
       }},
  };
  for (const auto& [what, lose] : losses) {
    CAPTURE(what);
    lose();
    CHECK_FALSE(place.same_everywhere());
    CHECK(changes(place.world.plan()).size() == 1);
    CHECK(place.world.apply().converged());
    CHECK(place.same_everywhere());
    CHECK(place.world.key_file() == key);
    CHECK(place.world.tokens().size() == 1);
  }
}

TEST_CASE("a place that cannot be written: no key is made, and the old one stays in force") {
  Place place;
  REQUIRE(place.world.apply().converged());
  const std::string key = place.world.key_file();
  place.world.pass(std::chrono::hours(21 * 24));  // a rotation is due
  const std::vector<std::tuple<const char*, std::function<void()>, std::function<void()>>> outages{
      {"no right to patch", [&] { place.kubernetes.forbid("patch"); }, [&] { place.kubernetes.allow("patch"); }},
      {"no right to read", [&] { place.kubernetes.forbid("get"); }, [&] { place.kubernetes.allow("get"); }},
      {"Kubernetes down", [&] { place.kubernetes.go_down(); }, [&] { place.kubernetes.come_back(); }},
      {"Vault sealed", [&] { place.vault.seal(); }, [&] { place.vault.seal(false); }},
      {"Vault down", [&] { place.vault.go_down(); }, [&] { place.vault.come_back(); }},
      {"token of Vault revoked", [&] { place.vault.revoke("vault-token"); },
       [&] { place.vault.add_token("vault-token"); }},
  };
  for (const auto& [what, begin, end] : outages) {
    CAPTURE(what);
    begin();
    CHECK_FALSE(place.world.apply().converged());
    end();
    CHECK(place.same_everywhere());
    CHECK(place.world.key_file() == key);
    CHECK(place.world.tokens().size() == 1);
  }
  CHECK(place.world.apply().converged());
  CHECK(place.same_everywhere());
  CHECK(place.world.key_file() != key);
}

TEST_CASE("somebody writes between our read and our write: a conflict, nothing of theirs is lost, then all is well") {
  Place place;
  REQUIRE(place.world.apply().converged());
  const std::string key = place.world.key_file();
  place.world.pass(std::chrono::hours(21 * 24));
  // The first PATCH is the rehearsal, the second one would carry the key.
  place.kubernetes.before("PATCH", 2,
                          [&] { place.kubernetes.set_data("monitoring", "grafana-token", "other", "theirs"); });
  const reconcile::Report conflict = place.world.apply();
  CHECK_FALSE(conflict.converged());
  CHECK(place.kubernetes.data("monitoring", "grafana-token", "other") == "theirs");
  CHECK(place.world.key_status(place.in_secret()) == 200);
  CHECK(place.world.key_status(key) == 200);
  place.world.pass(seconds(61));
  CHECK(place.world.apply().converged());
  CHECK(place.same_everywhere());
  CHECK(place.kubernetes.data("monitoring", "grafana-token", "other") == "theirs");
  CHECK(place.world.tokens().size() <= 3);
}

TEST_CASE("replies of a sink that are lost: what was written is found, and used") {
  for (const char* method : {"PATCH", "POST"}) {
    CAPTURE(method);
    Place place;
    REQUIRE(place.world.apply().converged());
    place.world.pass(std::chrono::hours(21 * 24));
    if (std::string(method) == "PATCH") {
      place.kubernetes.drop_reply("PATCH", 2);
    } else {
      place.vault.drop_reply("POST", 2);
    }
    (void)place.world.apply();
    CHECK(place.world.key_status(place.in_secret()) == 200);
    CHECK(place.world.key_status(place.in_vault()) == 200);
    CHECK(place.world.apply().converged());
    CHECK(place.same_everywhere());
  }
}

TEST_CASE("a Secret or a field of somebody else is not taken over") {
  Place place;
  place.kubernetes.set_data("monitoring", "grafana-token", "token", "a password of theirs");
  CHECK_FALSE(place.world.apply().converged());
  CHECK(place.in_secret() == "a password of theirs");
  CHECK(place.world.tokens().empty());
  place.kubernetes.remove("monitoring", "grafana-token");
  place.vault.set_field("secret", "grafana/test", "token", "theirs, too");
  CHECK_FALSE(place.world.apply().converged());
  CHECK(place.in_vault() == "theirs, too");
  CHECK(place.world.tokens().empty());
  place.vault.remove_field("secret", "grafana/test", "token");
  CHECK(place.world.apply().converged());
  CHECK(place.same_everywhere());
}

TEST_CASE("a destination on a server that is not configured is said, and stops nothing else") {
  World world;
  world.manifest("o.yaml", fmt::format(R"(apiVersion: graftd/v1
kind: Organization
metadata: {{name: {}}}
spec:
  folders: [{{uid: ops, title: Ops}}]
  serviceAccounts:
    - name: test
      role: Viewer
      tokens: [{{name: t, ttl: 30d, deliverTo: [{{vault: {{path: a/b}}}}]}}]
)",
                                       world.organization()));
  const reconcile::Report report = world.apply();
  CHECK_FALSE(report.converged());
  CHECK(problems(report).find("vault.url") != std::string::npos);
  CHECK(report.count(reconcile::Outcome::done) == 3);
  CHECK(world.tokens().empty());
}
