// The live half of ServiceAccountToken. A token is a kind like every other: observe() gathers, compare() is the
// decision chain of token/slot.hpp, create() and update() are the crash-safe procedure. There is no second engine.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grafana/service_accounts.hpp"
#include "kinds/registry.hpp"
#include "kinds/token_facts.hpp"
#include "model/canonical_json.hpp"
#include "model/json_fields.hpp"
#include "token/issuer.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

constexpr std::chrono::seconds longest_default_grace{86'400};

std::optional<std::chrono::seconds> seconds_of(const json& document, const char* member) {
  const std::int64_t seconds = number_of(document, member);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

// A third of the ttl unless said otherwise; nullopt for a key that never expires.
std::optional<std::chrono::seconds> rotate_before_of(const json& document) {
  const auto ttl = seconds_of(document, "ttl");
  if (!ttl) return std::nullopt;
  return seconds_of(document, "rotateBefore").value_or(*ttl / 3);
}

// 24 h, or half of rotateBefore where that is less; never below the minimum.
std::chrono::seconds grace_of(const json& document, std::chrono::seconds minimum) {
  const auto rotate_before = rotate_before_of(document);
  const auto usual = rotate_before ? std::min(longest_default_grace, *rotate_before / 2) : longest_default_grace;
  return std::max(minimum, seconds_of(document, "grace").value_or(usual));
}

ResourceKey account_key(const Desired& desired) {
  const json document = json::parse(desired.canonical, nullptr, false);
  return {kind_service_account, desired.key.organization, text_of(document, "account")};
}

class TokenKind final : public Kind {
 public:
  TokenKind(token::Issuer& issuer, TokenSettings settings) : issuer_(issuer), settings_(std::move(settings)) {}

  KindName name() const override { return kind_service_account_token; }
  int rank() const override { return 4; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot& so_far) const override {
    std::vector<Observed> observed;
    std::map<AccountId, token::Issuer::TokenList> lists;  // one request an account, however many tokens it has
    for (const Desired* desired : wanted) {
      const Observed* account = so_far.find(account_key(*desired));
      const Sinks sinks = settings_.make_sinks(desired->canonical);
      const token::Slot slot = make_slot(live, *desired, account, sinks);
      auto known = lists.find(slot.account);
      if (known == lists.end()) {
        token::Issuer::TokenList list = co_await issuer_.list(slot);
        known = lists.emplace(slot.account, std::move(list)).first;
      }
      token::Inputs inputs = co_await issuer_.gather(slot, known->second);
      Observed one;
      one.key = desired->key;
      one.id = std::to_string(slot.account.value());
      one.canonical = facts_to_json(inputs);
      one.digest = Digest::of(one.canonical);
      observed.push_back(std::move(one));
    }
    co_return observed;
  }

  Verdict compare(const ServerFacts&, const Desired& desired, const Observed* observed) const override {
    token::Inputs inputs;
    if (observed != nullptr) inputs = facts_from_json(observed->canonical);
    const token::Decision decision = token::decide(inputs, policy(desired));
    Verdict verdict;
    verdict.reason = decision.reason;
    verdict.wake_at = decision.wake_at;
    verdict.payload = decision_to_json(decision);
    verdict.cause = cause_of(decision);
    switch (decision.step) {
      case token::Step::keep:
        verdict.verb = Verb::none;
        break;
      case token::Step::wait:
        verdict.verb = Verb::wait;
        break;
      case token::Step::unknown:
        verdict.verb = Verb::unknown;
        verdict.unread = true;
        break;
      case token::Step::spread:
        verdict.verb = Verb::update;
        for (const std::size_t index : decision.to)
          verdict.changes.push_back({fmt::format("/deliverTo/{}", index), quote(decision.reason),
                                     quote(fmt::format("generation {}", decision.generation))});
        verdict.reason.clear();
        break;
      case token::Step::revoke:
        verdict.verb = Verb::update;
        for (const TokenId id : decision.revoke)
          verdict.changes.push_back({"/tokens/" + std::to_string(id.value()), quote("superseded"), ""});
        break;
      case token::Step::issue:
        fill_issue(verdict, inputs, decision);
        break;
    }
    return verdict;
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired,
                                           const Verdict& verdict) const override {
    const Observed* account = live.find(account_key(desired));
    if (account == nullptr) co_return fail(ErrorCode::internal, "the account of the token is not known");
    const Sinks sinks = settings_.make_sinks(desired.canonical);
    const token::Slot slot = make_slot(live, desired, account, sinks);
    const token::Decision decision = decision_from_json(verdict.payload);
    Status done = co_await issuer_.carry_out(slot, decision);
    if (!done) co_return fail(std::move(done.error()));
    Observed after;
    after.key = desired.key;
    if (const auto now = live.api.server_time()) after.wake_at = *now + next_look(slot.policy);
    co_return after;
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed&,
                                           const Verdict& verdict) const override {
    return create(live, desired, verdict);
  }

 private:
  using Sinks = std::vector<std::unique_ptr<sink::Sink>>;

  token::Policy policy(const Desired& desired) const {
    const json document = json::parse(desired.canonical, nullptr, false);
    token::Policy policy;
    policy.orphan_age = settings_.orphan_age;
    policy.grace = grace_of(document, settings_.minimum_grace);
    policy.ttl = seconds_of(document, "ttl");
    policy.rotate_before = rotate_before_of(document);
    policy.reissues_per_hour = settings_.reissues_per_hour;
    return policy;
  }

  // Where it is not the manifests that want a change.
  static std::string_view cause_of(const token::Decision& decision) {
    if (decision.check == "asked-for") return "request";
    if (decision.check == "due" || decision.check == "left-over") return "rotation";
    return decision.unplanned || decision.check == "sink-behind" ? "recovery" : "";
  }

  // After a key was handed over: its predecessor's grace, or its own rotation, whatever comes first. Early rather than
  // late: the next look knows the exact time.
  static std::chrono::seconds next_look(const token::Policy& policy) {
    std::chrono::seconds until = policy.grace;
    if (policy.ttl && policy.rotate_before)
      until = std::min(until, *policy.ttl - *policy.rotate_before - *policy.rotate_before / 10);
    return std::max(until, std::chrono::seconds(1));
  }

  // A first key is a creation; a key for a slot that had one is a change, named by what is wrong with the old one.
  static void fill_issue(Verdict& verdict, const token::Inputs& inputs, const token::Decision& decision) {
    const bool marked =
        std::ranges::any_of(inputs.sinks, [](const token::SinkInputs& sink) { return sink.marker_generation > 0; });
    const bool first = inputs.tokens.empty() && !marked && !(inputs.record && inputs.record->in_use);
    if (first) {
      verdict.verb = Verb::create;
      verdict.reason.clear();
      return;
    }
    verdict.verb = Verb::update;
    verdict.changes.push_back(
        {"/key", quote(decision.reason), quote(fmt::format("generation {}", decision.generation))});
    verdict.reason.clear();
    for (const TokenId id : decision.revoke)
      verdict.changes.push_back({"/tokens/" + std::to_string(id.value()), quote("undelivered"), ""});
  }

  token::Slot make_slot(const Live& live, const Desired& desired, const Observed* account, const Sinks& sinks) const {
    const json document = json::parse(desired.canonical, nullptr, false);
    token::Slot slot;
    slot.identity.owner = settings_.owner;
    slot.identity.organization = live.id;
    slot.organization_name = desired.key.organization;
    slot.declared_name = desired.key.name;
    slot.identity.token = text_of(document, "name");
    slot.identity.account_login = grafana::derived_login(live.id, text_of(document, "account"));
    if (account != nullptr) {
      const json facts = json::parse(account->facts, nullptr, false);
      slot.account = AccountId(number_from(account->id));
      slot.account_tokens = number_of(facts, "tokens");
      slot.identity.account_login = text_of(facts, "login");
    }
    slot.policy = policy(desired);
    for (const std::unique_ptr<sink::Sink>& sink : sinks) slot.sinks.push_back(sink.get());
    return slot;
  }

  token::Issuer& issuer_;
  TokenSettings settings_;
};

}  // namespace

std::unique_ptr<Kind> make_service_account_token_kind(token::Issuer& issuer, TokenSettings settings) {
  return std::make_unique<TokenKind>(issuer, std::move(settings));
}

}  // namespace graft::kinds
