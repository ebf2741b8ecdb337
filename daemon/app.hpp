// The wiring: from Settings to a Cycle that can be run. The only place that knows concrete transports, sinks and
// stores.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "daemon/manifest_source.hpp"
#include "daemon/settings.hpp"
#include "grafana/api.hpp"
#include "grafana/credential.hpp"
#include "http/transport.hpp"
#include "kinds/registry.hpp"
#include "reconcile/cycle.hpp"
#include "state/store.hpp"
#include "token/issuer.hpp"

namespace graft::daemon {

class App {
 public:
  struct Options {
    state::OpenMode state = state::OpenMode::read_write;
    grafana::Limits limits = {};
    token::IssuerSettings issuer = {};
    std::shared_ptr<const manifest::DesiredState> last_good = {};  // of an App that this one replaces
    std::vector<ResourceKey> only = {};            // not empty: of the manifests only these, and what they need
    std::shared_ptr<state::Store> store = {};      // open already, by an App that this one replaces; null: it is opened
    reconcile::Watcher* watcher = nullptr;         // of the cycles; may be null
    grafana::RequestObserver* requests = nullptr;  // of what is sent to Grafana; may be null
    token::Observer* keys = nullptr;               // of what becomes of keys; may be null
    ManifestOptions manifests = {};
    const ManifestSource* former_manifests = nullptr;  // of an App that this one replaces
  };
  // Errors: invalid (a setting), io or blocked (the state directory).
  [[nodiscard]] static Result<std::unique_ptr<App>> make(const Settings& settings, Clock& clock, Random& random,
                                                         Log& log, Options options);
  ~App();

  // Reads the credential file and takes what it holds into use. To be called before every cycle.
  [[nodiscard]] Status refresh_credential();

  [[nodiscard]] const Settings& settings() const;
  [[nodiscard]] ManifestSource& manifests();
  [[nodiscard]] grafana::LoginGate& gate();
  [[nodiscard]] reconcile::Cycle& cycle();
  [[nodiscard]] const std::shared_ptr<state::Store>& store() const;  // any thread

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace graft::daemon
