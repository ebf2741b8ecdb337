#include "daemon/app.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon/credential_file.hpp"
#include "daemon/login_memory.hpp"
#include "daemon/version.hpp"
#include "http/beast_transport.hpp"
#include "sink/file_sink.hpp"
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

// "0640" → 0640; the spec has checked the form.
unsigned mode_of(const std::string& octal) { return static_cast<unsigned>(std::stoul(octal, nullptr, 8)); }

std::unique_ptr<sink::Sink> make_sink(const std::string& directory, std::string_view canonical) {
  const nlohmann::json document = nlohmann::json::parse(canonical);
  const nlohmann::json& file = document.at("deliverTo").at(0).at("file");
  sink::FileTarget target;
  target.directory = directory;
  target.path = file.at("path").get<std::string>();
  target.owner = file.value("owner", "");
  target.group = file.value("group", "");
  target.mode = mode_of(file.value("mode", "0600"));
  return sink::make_file_sink(std::move(target));
}

}  // namespace

struct App::Impl {
  Settings settings;
  Log& log;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<http::Transport> transport;
  StoreLoginMemory memory;
  grafana::LoginGate gate;
  grafana::Api api;
  boost::asio::thread_pool disk{1};
  token::Issuer issuer;
  kinds::Registry registry;
  ManifestSource manifests;
  reconcile::Cycle cycle;

  Impl(const Settings& s, Clock& clock, Random& random, Log& l, std::unique_ptr<state::Store> opened,
       std::unique_ptr<http::Transport> carrier, const Options& options)
      : settings(s),
        log(l),
        store(std::move(opened)),
        transport(std::move(carrier)),
        memory(*store, log),
        gate(memory, clock, random, log),
        api(*transport, gate, clock, log, options.limits),
        issuer(api, *store, disk, clock, log, options.issuer),
        registry(issuer, token_settings(s)),
        manifests(s.manifests_directory),
        cycle({api, registry, clock, log, [this] { return manifests.load(); }, options.last_good}) {}

  ~Impl() { disk.join(); }

  static kinds::TokenSettings token_settings(const Settings& settings) {
    kinds::TokenSettings made;
    made.owner = settings.owner;
    made.orphan_age = settings.orphan_age;
    made.minimum_grace = settings.minimum_grace;
    made.make_sink = [directory = settings.tokens_directory](std::string_view canonical) {
      return make_sink(directory, canonical);
    };
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
  Result<state::Opened> opened = state::open_store(settings.state_directory, options.state);
  if (!opened) return fail(std::move(opened.error()));
  if (!opened->set_aside.empty())
    log.error("the state store was corrupt and was set aside; a new one is begun", {{"file", opened->set_aside}});
  std::unique_ptr<state::Store> store = state::make_locked_store(std::move(opened->store));
  return std::unique_ptr<App>(
      new App(std::make_unique<Impl>(settings, clock, random, log, std::move(store), std::move(*transport), options)));
}

Status App::refresh_credential() {
  Result<grafana::Credential> credential = read_credential(impl_->settings);
  if (!credential) return fail(std::move(credential.error()));
  impl_->gate.use(std::move(*credential));
  return {};
}

const Settings& App::settings() const { return impl_->settings; }
ManifestSource& App::manifests() { return impl_->manifests; }
grafana::LoginGate& App::gate() { return impl_->gate; }
reconcile::Cycle& App::cycle() { return impl_->cycle; }

}  // namespace graft::daemon
