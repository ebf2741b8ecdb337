#include "daemon/app.hpp"

#include <fmt/format.h>
#include <unordered_set>

#include "daemon/credential_file.hpp"
#include "daemon/login_memory.hpp"
#include "daemon/sinks.hpp"
#include "daemon/version.hpp"
#include "http/beast_transport.hpp"
#include "state/locked_store.hpp"

namespace graft::daemon {

namespace {

http::Endpoint endpoint_of(const Settings& settings) {
  http::Endpoint endpoint;
  endpoint.url = settings.url;
  endpoint.tls = {settings.ca_file, settings.cert_file, settings.key_file};
  endpoint.user_agent = "graftd/" + version();
  return endpoint;
}

// Those that are named and what they need, which is needed in turn.
std::shared_ptr<const manifest::DesiredState> narrowed(const manifest::DesiredState& state,
                                                       const std::vector<ResourceKey>& only) {
  std::unordered_set<ResourceKey> wanted(only.begin(), only.end());
  for (bool grown = true; grown;) {
    grown = false;
    for (const Desired& desired : state.resources) {
      if (!wanted.contains(desired.key)) continue;
      for (const ResourceKey& need : desired.needs) grown = wanted.insert(need).second || grown;
    }
  }
  auto made = std::make_shared<manifest::DesiredState>(state);
  std::erase_if(made->resources, [&](const Desired& desired) { return !wanted.contains(desired.key); });
  return made;
}

}  // namespace

struct App::Impl {
  Settings settings;
  Log& log;
  std::shared_ptr<state::Store> store;
  std::unique_ptr<http::Transport> transport;
  StoreLoginMemory memory;
  grafana::LoginGate gate;
  grafana::Api api;
  std::unique_ptr<boost::asio::thread_pool> disk;
  std::unique_ptr<SinkFactory> sinks;
  std::unique_ptr<token::Server> server;
  token::Issuer issuer;
  kinds::Registry registry;
  std::unique_ptr<ManifestSource> manifests;
  reconcile::Cycle cycle;

  Impl(const Settings& s, Clock& clock, Random& random, Log& l, std::shared_ptr<state::Store> opened,
       std::unique_ptr<http::Transport> carrier, std::unique_ptr<boost::asio::thread_pool> pool,
       std::unique_ptr<SinkFactory> factory, const Options& options)
      : settings(s),
        log(l),
        store(std::move(opened)),
        transport(std::move(carrier)),
        memory(*store, log),
        gate(memory, clock, random, log),
        api(*transport, gate, clock, log, options.limits),
        disk(std::move(pool)),
        sinks(std::move(factory)),
        server(token::make_server(api)),
        issuer(*server, *store, disk.get(), clock, log, issuer_settings(s, options)),
        registry(issuer, token_settings(s, *sinks)),
        manifests(make_manifest_source(s, options.manifests, options.former_manifests)),
        cycle({api, registry, clock, log, [this, only = options.only] { return load(only); }, options.last_good,
               options.watcher}) {
    api.observe(options.requests);
    issuer.observe(options.keys);
  }

  ~Impl() { disk->join(); }

  Result<manifest::LoadResult> load(const std::vector<ResourceKey>& only) {
    Result<manifest::LoadResult> loaded = manifests->load();
    if (!only.empty() && loaded && loaded->state) loaded->state = narrowed(*loaded->state, only);
    return loaded;
  }

  static token::IssuerSettings issuer_settings(const Settings& settings, const Options& options) {
    token::IssuerSettings made = options.issuer;
    made.read_only = options.state != state::OpenMode::read_write;
    made.reissues_per_minute = settings.reissues_per_minute;
    return made;
  }

  static kinds::TokenSettings token_settings(const Settings& settings, SinkFactory& factory) {
    kinds::TokenSettings made;
    made.owner = settings.owner;
    made.orphan_age = settings.orphan_age;
    made.minimum_grace = settings.minimum_grace;
    made.reissues_per_hour = settings.reissues_per_hour;
    made.make_sinks = [&factory](std::string_view canonical) { return factory.make(canonical); };
    return made;
  }
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() = default;

Result<std::unique_ptr<App>> App::make(const Settings& settings, Clock& clock, Random& random, Log& log,
                                       Options options) {
  Result<std::unique_ptr<http::Transport>> transport = http::make_beast_transport(endpoint_of(settings));
  if (!transport) {
    Error error = std::move(transport.error());
    return fail(std::move(error).context("grafana.url"));
  }
  auto disk = std::make_unique<boost::asio::thread_pool>(1);  // what blocks: store and files
  Result<std::unique_ptr<SinkFactory>> sinks = SinkFactory::make(settings, *disk, clock);
  if (!sinks) return fail(std::move(sinks.error()));
  std::shared_ptr<state::Store> store = options.store;
  if (!store) {
    Result<state::Opened> opened = state::open_store(settings.state_directory, options.state);
    if (!opened) return fail(std::move(opened.error()));
    if (!opened->set_aside.empty())
      log.error("the state store was corrupt and was set aside; a new one is begun", {{"file", opened->set_aside}});
    store = state::make_locked_store(std::move(opened->store));
  }
  return std::unique_ptr<App>(
      new App(std::make_unique<Impl>(settings, clock, random, log, std::move(store), std::move(*transport),
                                     std::move(disk), std::move(*sinks), options)));
}

Status App::refresh_credential() {
  Result<grafana::Credential> credential = read_credential(impl_->settings);
  if (!credential) return fail(std::move(credential.error()));
  impl_->gate.use(std::move(*credential));
  return {};
}

const Settings& App::settings() const { return impl_->settings; }
ManifestSource& App::manifests() { return *impl_->manifests; }
grafana::LoginGate& App::gate() { return impl_->gate; }
reconcile::Cycle& App::cycle() { return impl_->cycle; }
const std::shared_ptr<state::Store>& App::store() const { return impl_->store; }

}  // namespace graft::daemon
