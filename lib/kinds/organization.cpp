// The live half of Organization: made when missing, joined when made by other hands. The login's active organization is
// never switched; membership as Admin is proven (GET /api/user/orgs) before anything in it is believed absent.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "async/deadline.hpp"
#include "base/text.hpp"
#include "grafana/organizations.hpp"
#include "kinds/registry.hpp"
#include "model/canonical_json.hpp"
#include "model/json_fields.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

constexpr const char* needed_role = "Admin";

class OrganizationKind final : public Kind {
 public:
  KindName name() const override { return kind_organization; }
  int rank() const override { return 1; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot&) const override {
    if (live.facts.self.is_key()) co_return co_await observe_own(live, wanted);
    Result<std::vector<grafana::Organization>> all = co_await grafana::list_organizations(live.api);
    if (!all) co_return fail(std::move(all.error()));
    Result<std::vector<grafana::Membership>> mine = co_await grafana::my_memberships(live.api);
    if (!mine) co_return fail(std::move(mine.error()));
    std::vector<Observed> observed;
    for (const Desired* desired : wanted) {
      const auto found = std::ranges::find(*all, desired->key.name, &grafana::Organization::name);
      if (found == all->end()) continue;
      const auto membership = std::ranges::find(*mine, found->id, &grafana::Membership::organization);
      observed.push_back(seen(*desired, found->id, membership == mine->end() ? "" : membership->role));
    }
    co_return observed;
  }

  Verdict compare(const ServerFacts& facts, const Desired& desired, const Observed* observed) const override {
    const bool declared = desired.at.known();
    if (observed == nullptr && facts.self.is_key())
      return blocked(
          "a service-account key works in its own organization only; use grafana.auth.username and a password "
          "for several organizations");
    if (observed == nullptr && !declared)
      return blocked("no manifest declares this organization, and Grafana has none of this name");
    Verdict verdict;
    if (observed == nullptr) {
      verdict.verb = Verb::create;
      verdict.reason = "its content is not known before it is made";
      return verdict;
    }
    const std::string role = membership(*observed);
    if (role == needed_role) return verdict;
    verdict.verb = Verb::update;
    verdict.reason = role.empty() ? "made by other hands: joined first" : "our own role is raised first";
    verdict.changes.push_back({"/membership", role.empty() ? "" : quote(role), quote(needed_role)});
    return verdict;
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired, const Verdict&) const override {
    Result<OrgId> id = co_await grafana::create_organization(live.api, desired.key.name);
    if (!id && id.error().code == ErrorCode::conflict) {
      id.error().hint = "an organization of this name was made meanwhile; the next cycle joins it";
      id.error().retryable = true;
    }
    if (!id) co_return fail(std::move(id.error()));
    co_return seen(desired, *id, needed_role);  // who makes an organization is its Admin (section 2 [run])
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed& observed,
                                           const Verdict&) const override {
    const OrgId id(number_from(observed.id));
    const grafana::Identity& self = live.facts.self;
    Status joined;  // if and else: g++ 12 breaks on co_await in both arms of a conditional expression
    if (membership(observed).empty()) {
      joined = co_await grafana::add_member(live.api, id, self.login, needed_role);
    } else {
      joined = co_await grafana::set_member_role(live.api, id, self.user, needed_role);
    }
    if (!joined) co_return fail(std::move(joined.error()));
    co_await await_rights(live, id);
    co_return seen(desired, id, needed_role);
  }

 private:
  // Grafana keeps what it knows of a signed-in user for 5 s (grafana-api.md 0.5): a role that was raised is felt later,
  // and until then the content would look forbidden. Waits for it; if it does not come, the reading says why.
  static asio::awaitable<void> await_rights(const Live& live, OrgId id) {
    for (int tries = 0; tries < 7; ++tries) {
      grafana::Call call("GET", "/api/serviceaccounts/search?perpage=1&page=1",
                         "waiting for our rights in the organization");
      call.organization = id;
      Result<grafana::Reply> reply = co_await live.api.send(std::move(call));
      if (!reply || reply->status != 403) co_return;
      co_await async::sleep_for(std::chrono::milliseconds(1'000));
    }
  }

  static Observed seen(const Desired& desired, OrgId id, const std::string& role) {
    Observed observed = make_observed(desired, std::to_string(id.value()), "", desired.canonical);
    observed.facts = json{{"membership", role}}.dump();
    return observed;
  }

  static std::string membership(const Observed& observed) {
    return text_of(json::parse(observed.facts, nullptr, false), "membership");
  }

  // With a key there is one organization; it is matched by name and not changed.
  static asio::awaitable<Result<std::vector<Observed>>> observe_own(const Live& live,
                                                                    std::span<const Desired* const> wanted) {
    Result<grafana::Organization> own = co_await grafana::current_organization(live.api);
    if (!own) co_return fail(std::move(own.error()));
    std::vector<Observed> observed;
    for (const Desired* desired : wanted)
      if (desired->key.name == own->name) observed.push_back(seen(*desired, own->id, needed_role));
    co_return observed;
  }
};

}  // namespace

std::unique_ptr<Kind> make_organization_kind() { return std::make_unique<OrganizationKind>(); }

}  // namespace graft::kinds
