// The live half of OrganizationMember. Logins and e-mail addresses are compared without case: Grafana stores them in
// lower case (grafana-api.md section 3). Our own membership is ensured with the organization, and never lowered.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grafana/organizations.hpp"
#include "kinds/registry.hpp"
#include "model/canonical_json.hpp"
#include "model/json_fields.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

std::string wanted_role(const Desired& desired) {
  return text_of(json::parse(desired.canonical, nullptr, false), "role");
}

// The desired document with the role that is there: the same canonical form on both sides.
std::string with_role(const Desired& desired, const std::string& role) {
  json document = json::parse(desired.canonical, nullptr, false);
  document["role"] = role;
  return canonical_text(document);
}

bool is_self(const grafana::Identity& self, std::string_view login_or_email) {
  return equal_ignoring_ascii_case(self.login, login_or_email) ||
         (!self.email.empty() && equal_ignoring_ascii_case(self.email, login_or_email));
}

class MemberKind final : public Kind {
 public:
  KindName name() const override { return kind_organization_member; }
  int rank() const override { return 2; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot&) const override {
    std::vector<Observed> observed;
    if (live.facts.self.is_key()) co_return observed;  // refused by compare()
    Result<std::vector<grafana::Member>> members = co_await grafana::list_members(live.api, live.id);
    if (!members) co_return fail(std::move(members.error()));
    std::map<UserId, std::string> declared_as;
    for (const Desired* desired : wanted) {
      const auto found = std::ranges::find_if(*members, [&](const grafana::Member& member) {
        return equal_ignoring_ascii_case(member.login, desired->key.name) ||
               equal_ignoring_ascii_case(member.email, desired->key.name);
      });
      if (found == members->end()) continue;
      Observed one = make_observed(*desired, std::to_string(found->user.value()), "", with_role(*desired, found->role));
      // A login here and an e-mail address there may be one person, whose role would then change at every cycle.
      const auto [first, added] = declared_as.try_emplace(found->user, desired->key.name);
      if (!added) one.facts = json{{"alsoDeclaredAs", first->second}}.dump();
      observed.push_back(std::move(one));
    }
    co_return observed;
  }

  Verdict compare(const ServerFacts& facts, const Desired& desired, const Observed* observed) const override {
    if (facts.self.is_key())
      return blocked(
          "members are managed with a server admin's password only (grafana.auth.username), not with a "
          "service-account key");
    if (is_self(facts.self, desired.key.name) && wanted_role(desired) != "Admin")
      return blocked("this is graftd's own login: it must stay Admin here; declare it as Admin or leave it out");
    if (observed != nullptr && !observed->facts.empty())
      return blocked(fmt::format("{} and {} are one user of Grafana; declare it once", desired.key.name,
                                 text_of(json::parse(observed->facts, nullptr, false), "alsoDeclaredAs")));
    return Kind::compare(facts, desired, observed);
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired, const Verdict&) const override {
    Status added = co_await grafana::add_member(live.api, live.id, desired.key.name, wanted_role(desired));
    if (!added) co_return fail(std::move(added.error()));
    co_return make_observed(desired, "", "", desired.canonical);
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed& observed,
                                           const Verdict&) const override {
    const UserId user(number_from(observed.id));
    Status changed = co_await grafana::set_member_role(live.api, live.id, user, wanted_role(desired));
    if (!changed) co_return fail(std::move(changed.error()));
    co_return make_observed(desired, observed.id, "", desired.canonical);
  }
};

}  // namespace

std::unique_ptr<Kind> make_organization_member_kind() { return std::make_unique<MemberKind>(); }

}  // namespace graft::kinds
