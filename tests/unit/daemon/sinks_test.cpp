// The sinks that the settings give, over real sockets where a server is named.
#include "daemon/sinks.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "doubles/kubernetes_api.hpp"
#include "doubles/vault_server.hpp"
#include "kinds/service_account_token_spec.hpp"
#include "support/run_coroutine.hpp"
#include "support/temporary_directory.hpp"
#include "unit/sink/keys.hpp"

using namespace graft;
using sink::testing::key;
using sink::testing::key_text;
using sink::testing::marker;

namespace {

std::string canonical(std::vector<kinds::Delivery> deliveries) {
  kinds::ServiceAccountTokenSpec spec;
  spec.account = "a";
  spec.name = "t";
  spec.deliveries = std::move(deliveries);
  return kinds::canonical(spec);
}

const std::string everywhere =
    canonical({kinds::VaultDelivery{"secret", "grafana/o", "token"}, kinds::FileDelivery{"o/t", "", "", "0640"},
               kinds::KubernetesDelivery{"monitoring", "o-token", "key"}});

class Bench {
 public:
  Bench() { settings.tokens_directory = files / "tokens"; }
  ~Bench() { disk.join(); }
  std::vector<std::unique_ptr<sink::Sink>> make() {
    auto made = daemon::SinkFactory::make(settings, disk, clock);
    REQUIRE_MESSAGE(made, made.error().describe());
    factory = std::move(*made);
    return factory->make(everywhere);
  }
  std::string refused() {
    const auto made = daemon::SinkFactory::make(settings, disk, clock);
    return made ? "" : made.error().describe();
  }

  test::TemporaryDirectory files;
  daemon::Settings settings;
  ManualClock clock;
  boost::asio::io_context context{1};
  boost::asio::thread_pool disk{1};
  std::unique_ptr<daemon::SinkFactory> factory;
};

}  // namespace

TEST_CASE("a token is delivered to a Vault, a file and a Kubernetes Secret, in the order of its manifest") {
  doubles::KubernetesApi kubernetes;
  doubles::VaultServer vault;
  Bench bench;
  bench.files.write("token", "bearer");
  bench.files.write("jwt", "j");
  kubernetes.require_token("bearer");
  vault.allow_login("graftd", "j");
  bench.settings.kubernetes_url = kubernetes.url();
  bench.settings.kubernetes_token_file = bench.files / "token";
  bench.settings.vault_url = vault.url();
  bench.settings.vault_role = "graftd";
  bench.settings.vault_login_mount = "kubernetes";
  bench.settings.vault_jwt_file = bench.files / "jwt";
  auto sinks = bench.make();
  REQUIRE(sinks.size() == 3);
  CHECK(sinks[0]->describe() == "vault secret/grafana/o#token");
  CHECK(sinks[1]->describe() == "file o/t");
  CHECK(sinks[2]->describe() == "secret monitoring/o-token/key");
  const Secret secret = key(1);
  const sink::Marker with = marker(1);
  for (const auto& each : sinks) {
    CAPTURE(each->describe());
    const Status probed = test::run_on(bench.context, each->probe());
    REQUIRE_MESSAGE(probed, probed.error().describe());
    REQUIRE(test::run_on(bench.context, each->read()));
    const Status put = test::run_on(bench.context, each->put(secret, with));
    REQUIRE_MESSAGE(put, put.error().describe());
    CHECK(test::run_on(bench.context, each->read())->key.reveal() == key_text(1));
  }
  CHECK(vault.field("secret", "grafana/o", "token") == key_text(1));
  CHECK(vault.logins() == 1);
  CHECK(bench.files.read("tokens/o/t") == key_text(1));
  CHECK(kubernetes.data("monitoring", "o-token", "key") == key_text(1));

  // A reply that is lost on a real connection is not taken for a failure, and the next read tells.
  const Secret next = key(2);
  kubernetes.drop_reply("PATCH");
  CHECK(test::run_on(bench.context, sinks[2]->put(next, with)).error().code == ErrorCode::ambiguous);
  CHECK(test::run_on(bench.context, sinks[2]->read())->key.reveal() == key_text(2));
  vault.go_down();
  const auto refused = test::run_on(bench.context, sinks[0]->read());
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().describe().find("vault.url") != std::string::npos);
  CHECK_MESSAGE(refused.error().describe().find("rafana.") == std::string::npos, refused.error().describe());
  vault.come_back();
  CHECK(test::run_on(bench.context, sinks[0]->read())->key.reveal() == key_text(1));
}

TEST_CASE("a place on a server that no setting names says which setting is missing, and files still work") {
  Bench bench;
  auto sinks = bench.make();
  REQUIRE(sinks.size() == 3);
  const std::vector<std::string> hints{"vault.url", "", "kubernetes.url"};
  for (const std::size_t at : {0U, 2U}) {
    const auto reading = test::run_on(bench.context, sinks[at]->read());
    REQUIRE_FALSE(reading);
    CHECK(reading.error().code == ErrorCode::blocked);
    CHECK(reading.error().hint.find(hints[at]) != std::string::npos);
    CHECK_FALSE(test::run_on(bench.context, sinks[at]->probe()));
  }
  CHECK(sinks[0]->describe() == "vault secret/grafana/o#token");
  CHECK(test::run_on(bench.context, sinks[1]->read()));
}

TEST_CASE("settings that cannot be used are an error at once; those that a pod has by itself are not") {
  for (const std::string wrong : {"not a url", "ftp://h", "http://user:password@h"}) {
    CAPTURE(wrong);
    Bench bench;
    bench.settings.kubernetes_url = wrong;
    CHECK(bench.refused().find("kubernetes.url") != std::string::npos);
    bench.settings.kubernetes_url.clear();
    bench.settings.vault_url = wrong;
    bench.settings.vault_token_file = "/t";
    CHECK(bench.refused().find("vault.url") != std::string::npos);
  }
  Bench bench;
  bench.settings.kubernetes_url = "https://h";
  bench.settings.kubernetes_ca_file = bench.files / "missing";
  CHECK(bench.refused().find("kubernetes.caFile") != std::string::npos);
  CHECK_MESSAGE(bench.refused().find("grafana") == std::string::npos, bench.refused());
  bench.settings.in_cluster_url = "https://10.0.0.1:443";
  bench.settings.kubernetes_url.clear();
  auto sinks = bench.make();
  CHECK(test::run_on(bench.context, sinks[2]->read()).error().describe().find("missing") != std::string::npos);
  bench.settings.kubernetes_url = "https://h";  // the usual file, outside of a pod: the system's certificates
  bench.settings.kubernetes_ca_file = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
  CHECK(bench.refused().empty());
}
