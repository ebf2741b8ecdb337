// Where the manifests come from, as the daemon sees it: a directory or a git repository. Loaded again only when
// something has changed. Of one thread, the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "daemon/settings.hpp"
#include "manifest/loader.hpp"

namespace graft::daemon {

class ManifestSource {
 public:
  ManifestSource() = default;
  virtual ~ManifestSource() = default;
  ManifestSource(const ManifestSource&) = delete;
  ManifestSource& operator=(const ManifestSource&) = delete;

  // One consistent revision. The same result again as long as nothing has changed. A state beside errors: the last good
  // revision that the source itself remembers, and why there is nothing newer. Waits for a fetch that has not settled
  // when there is nothing else to give.
  [[nodiscard]] virtual Result<manifest::LoadResult> load() = 0;

  // True when load() would give something else than it did last. Cheap: no file is read, nobody is asked.
  [[nodiscard]] virtual bool changed() const = 0;

  // Asks a repository for news now, and whether load() would have to wait for what was asked.
  virtual void refresh() {}
  [[nodiscard]] virtual bool settled() const { return true; }
  [[nodiscard]] virtual bool has_something() const { return true; }  // load() would not wait
  // Of a candidate: what it finds from now on may be remembered as in force.
  virtual void take_into_use() {}
};

struct ManifestOptions {
  // candidate: for a service, before it is known to be good; names: what is in force is enough, nobody is asked.
  enum class For : std::uint8_t { service, candidate, apply, look, names };
  For whom = For::look;
  std::function<void()> on_news;  // from another thread; may be empty
};

// Takes over the fetches of `former` when it is of the same repository; it may be null.
[[nodiscard]] std::unique_ptr<ManifestSource> make_manifest_source(const Settings& settings,
                                                                   const ManifestOptions& options,
                                                                   const ManifestSource* former);

// "/etc/graftd/manifests", or "https://example.org/grafana.git main": for people.
[[nodiscard]] std::string manifests_shown(const Settings& settings);

}  // namespace graft::daemon
