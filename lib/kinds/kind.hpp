// Kind: what graftd knows of one kind of resource on a live Grafana: how to see it, compare it, make it, change it.
// (Reading manifests of it is the other half: <kind>_spec.hpp, a manifest::Decoder.)
//
// Stateless; one object a kind, listed in registry.hpp. compare() is pure; the rest are thin coroutines.
// Adding a kind is described in CONTRIBUTING.md.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/strong.hpp"
#include "grafana/api.hpp"
#include "grafana/capabilities.hpp"
#include "grafana/organizations.hpp"
#include "model/resource.hpp"
#include "model/snapshot.hpp"
#include "model/verdict.hpp"

namespace graft::kinds {

namespace asio = boost::asio;

// What was learned of the server at the beginning of a cycle. Values.
struct ServerFacts {
  grafana::Identity self;
  grafana::Capabilities capabilities;
  std::string min_refresh = "5s";    // of dashboards
  bool own_account_is_admin = true;  // with a key: whether its account is an Admin, and so sees everything
};

// One organization on the live server: what a kind works with.
struct Live {
  grafana::Api& api;
  const ServerFacts& facts;
  std::string organization;
  OrgId id;  // 0 for the server as a whole
  // Grafana's id and the facts of a resource that this one needs: from the snapshot, or made in this very run.
  std::function<const Observed*(const ResourceKey&)> find;
};

class Kind {
 public:
  virtual ~Kind() = default;
  [[nodiscard]] virtual KindName name() const = 0;
  [[nodiscard]] virtual int rank() const = 0;  // the fixed order of kinds (manifests.md section 2)
  // Creates of this kind take the one lane (grafana::Access::lane); others run side by side.
  [[nodiscard]] virtual bool one_at_a_time() const { return true; }

  // What is there of `wanted` in this organization, in the fewest requests. Only what was asked for is returned; an
  // Error makes the kind a gap in this organization. Sees in `so_far` what kinds of lower rank saw.
  [[nodiscard]] virtual asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live,
                                                                               std::span<const Desired* const> wanted,
                                                                               const Snapshot& so_far) const = 0;

  // By default: absent, create; another canonical document, update with the differences; equal, none.
  [[nodiscard]] virtual Verdict compare(const ServerFacts& facts, const Desired& desired,
                                        const Observed* observed) const;

  // Each returns what is there afterwards, for those that need it.
  [[nodiscard]] virtual asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired,
                                                                 const Verdict& verdict) const = 0;
  [[nodiscard]] virtual asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired,
                                                                 const Observed& observed,
                                                                 const Verdict& verdict) const = 0;
};

// Observed with the digest of `canonical`; the text is kept only when it differs from what is wanted.
[[nodiscard]] Observed make_observed(const Desired& desired, std::string id, std::string version,
                                     std::string canonical);

[[nodiscard]] Verdict blocked(std::string reason);

}  // namespace graft::kinds
