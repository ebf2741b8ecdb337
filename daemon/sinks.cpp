#include "daemon/sinks.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "daemon/version.hpp"
#include "http/beast_transport.hpp"
#include "kinds/service_account_token_spec.hpp"
#include "sink/file_sink.hpp"
#include "sink/kubernetes_sink.hpp"
#include "sink/remote.hpp"
#include "sink/vault_sink.hpp"

namespace graft::daemon {

namespace {

// A Secret has at most 1 MiB of data; base64 and the rest of the object make a few.
constexpr std::size_t answer_limit = std::size_t{8} * 1024 * 1024;

http::Endpoint endpoint_of(const std::string& url, const std::string& ca_file) {
  http::Endpoint endpoint;
  endpoint.url = url;
  endpoint.tls.ca_file = ca_file;
  endpoint.user_agent = "graftd/" + version();
  endpoint.body_limit = answer_limit;
  return endpoint;
}

std::string_view default_of(std::string_view key) {
  for (const Setting& setting : setting_table())
    if (setting.key == key) return setting.default_value;
  return {};
}

// Outside of a pod the default is no file, and does not mean one.
std::string kubernetes_ca_file(const Settings& settings) {
  std::error_code ignored;
  const bool usual = settings.kubernetes_ca_file == default_of("kubernetes.caFile");
  if (usual && !std::filesystem::exists(settings.kubernetes_ca_file, ignored)) return {};
  return settings.kubernetes_ca_file;
}

}  // namespace

struct SinkFactory::Impl {
  Settings settings;
  boost::asio::thread_pool& disk;
  std::unique_ptr<http::Transport> kubernetes, vault;
  Error no_kubernetes = Error(ErrorCode::blocked, "no Kubernetes API to deliver to")
                            .with_hint("set kubernetes.url (and kubernetes.tokenFile); in a pod neither is needed");
  Error no_vault = Error(ErrorCode::blocked, "no Vault to deliver to")
                       .with_hint("set vault.url, and vault.auth.tokenFile or vault.auth.kubernetes.role");
  std::optional<sink::VaultAccess> vault_access;

  Impl(const Settings& values, boost::asio::thread_pool& pool) : settings(values), disk(pool) {}

  Status open_kubernetes() {
    const bool given = !settings.kubernetes_url.empty();
    const std::string& url = given ? settings.kubernetes_url : settings.in_cluster_url;
    if (url.empty()) return {};
    auto made = http::make_beast_transport(endpoint_of(url, kubernetes_ca_file(settings)));
    if (made) {
      kubernetes = std::move(*made);
      return {};
    }
    Error error = sink::in_terms_of("kubernetes", std::move(made.error())).context("kubernetes.url, kubernetes.caFile");
    // A pod that delivers to files alone need not be able to reach the API of its cluster.
    if (!given) {
      no_kubernetes = std::move(error);
      return {};
    }
    return fail(std::move(error));
  }

  Status open_vault(Clock& clock) {
    if (settings.vault_url.empty()) return {};
    auto made = http::make_beast_transport(endpoint_of(settings.vault_url, settings.vault_ca_file));
    if (!made) {
      return fail(sink::in_terms_of("vault", std::move(made.error())).context("vault.url, vault.caFile"));
    }
    vault = std::move(*made);
    if (settings.vault_role.empty()) {
      vault_access.emplace(*vault, clock, settings.vault_namespace, settings.vault_token_file);
    } else {
      sink::VaultLogin login{settings.vault_login_mount, settings.vault_role, settings.vault_jwt_file};
      vault_access.emplace(*vault, clock, settings.vault_namespace, std::move(login));
    }
    return {};
  }

  std::unique_ptr<sink::Sink> make(const kinds::FileDelivery& file) const {
    sink::FileTarget target;
    target.directory = settings.tokens_directory;
    target.path = file.path;
    target.owner = file.owner;
    target.group = file.group;
    target.mode = file.mode_bits();
    return sink::on_thread(disk, sink::make_file_sink(std::move(target)));
  }

  std::unique_ptr<sink::Sink> make(const kinds::KubernetesDelivery& secret) const {
    if (!kubernetes) return sink::make_unusable_sink(kinds::target_of(secret), no_kubernetes);
    return sink::make_kubernetes_sink({secret.namespace_name, secret.name, secret.key},
                                      sink::KubernetesAccess(*kubernetes, settings.kubernetes_token_file));
  }

  std::unique_ptr<sink::Sink> make(const kinds::VaultDelivery& field) {
    if (!vault_access) return sink::make_unusable_sink(kinds::target_of(field), no_vault);
    return sink::make_vault_sink({field.mount, field.path, field.field}, *vault_access);
  }
};

SinkFactory::SinkFactory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SinkFactory::~SinkFactory() = default;

Result<std::unique_ptr<SinkFactory>> SinkFactory::make(const Settings& settings, boost::asio::thread_pool& disk,
                                                       Clock& clock) {
  auto impl = std::make_unique<Impl>(settings, disk);
  if (auto status = impl->open_kubernetes(); !status) return fail(std::move(status.error()));
  if (auto status = impl->open_vault(clock); !status) return fail(std::move(status.error()));
  return std::unique_ptr<SinkFactory>(new SinkFactory(std::move(impl)));
}

std::vector<std::unique_ptr<sink::Sink>> SinkFactory::make(std::string_view canonical) {
  std::vector<std::unique_ptr<sink::Sink>> sinks;
  const auto spec = kinds::service_account_token_from_canonical(canonical);
  if (!spec) {
    sinks.push_back(sink::make_unusable_sink("no destination", spec.error()));
    return sinks;
  }
  for (const kinds::Delivery& delivery : spec->deliveries)
    sinks.push_back(std::visit([this](const auto& each) { return impl_->make(each); }, delivery));
  return sinks;
}

}  // namespace graft::daemon
