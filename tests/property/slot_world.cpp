#include "property/slot_world.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "support/run_coroutine.hpp"

namespace graft::test {

namespace {

constexpr std::int64_t account = 5;

Error lost() { return Error(ErrorCode::ambiguous, "the reply was lost"); }

}  // namespace

bool MemoryGrafana::alive(const LiveToken& token) const {
  return !token.revoked && (!token.expires || *token.expires > *now());
}

bool MemoryGrafana::alive(const std::string& key) const {
  return std::ranges::any_of(tokens, [&](const auto& entry) { return entry.second.key == key && alive(entry.second); });
}

token::asio::awaitable<Result<std::vector<grafana::Token>>> MemoryGrafana::list(OrgId, AccountId) {
  fuse_.tick();
  if (lists_fail) co_return fail(ErrorCode::unavailable, "HTTP 503");
  std::vector<grafana::Token> listed;
  for (const auto& [id, token] : tokens) {
    grafana::Token one;
    one.id = TokenId(id);
    one.name = token.name;
    one.created = token.created;
    one.expiration = token.expires;
    one.last_used = token.used;
    one.expired = token.expires && *token.expires <= *now();
    one.revoked = token.revoked;
    listed.push_back(std::move(one));
  }
  if (cuts_list) listed.resize(std::min<std::size_t>(listed.size(), 1));
  co_return listed;
}

token::asio::awaitable<Result<grafana::NewToken>> MemoryGrafana::create(OrgId, AccountId, const std::string& name,
                                                                        std::optional<std::chrono::seconds> ttl) {
  fuse_.tick();
  if (on_create) on_create();
  if (std::exchange(refuse_create, false)) co_return fail(ErrorCode::unavailable, "HTTP 500");
  if (std::ranges::any_of(tokens, [&](const auto& entry) { return entry.second.name == name; }))
    co_return fail(ErrorCode::exists, "the name is taken");
  const std::int64_t id = ++created;
  LiveToken token{name, fmt::format("key-{}", id), *now(), std::nullopt, std::nullopt};
  if (ttl) token.expires = *now() + *ttl;
  tokens[id] = token;
  fuse_.tick();
  if (std::exchange(lose_create_reply, false)) co_return fail(lost());
  grafana::NewToken made;
  made.id = TokenId(id);
  made.key = Secret(std::move(token.key));
  co_return made;
}

token::asio::awaitable<Status> MemoryGrafana::remove(OrgId, AccountId, TokenId token) {
  fuse_.tick();
  if (const auto found = tokens.find(token.value()); found != tokens.end()) {
    if (on_remove) on_remove(found->first, found->second);
    tokens.erase(found);
  }
  fuse_.tick();
  if (std::exchange(lose_remove_reply, false)) co_return fail(lost());
  co_return Status{};
}

token::asio::awaitable<Result<grafana::Identity>> MemoryGrafana::whose_key(const Secret& key) {
  fuse_.tick();
  if (does_not_say) co_return fail(ErrorCode::unavailable, "HTTP 503");
  if (refuses_keys) co_return fail(ErrorCode::unauthenticated, "HTTP 401");
  for (auto& [id, token] : tokens) {
    if (token.key != key.reveal() || !alive(token)) continue;
    token.used = now();
    grafana::Identity owner;
    owner.account = AccountId(account);
    owner.organization = OrgId(2);
    co_return owner;
  }
  co_return fail(ErrorCode::unauthenticated, "HTTP 401");
}

token::asio::awaitable<Status> MemorySink::probe() {
  fuse_.tick();
  if (fails) co_return fail(ErrorCode::io, "no space left");
  co_return Status{};
}

token::asio::awaitable<Result<sink::Reading>> MemorySink::read() {
  fuse_.tick();
  if (unreadable) co_return fail(ErrorCode::io, "permission denied");
  sink::Reading reading;
  reading.marker = content_.marker;
  reading.identity = content_.key.empty() ? std::string() : std::to_string(version_);
  if (content_.key.empty()) co_return reading;
  reading.state = content_.key.starts_with("key-") ? sink::KeyState::present : sink::KeyState::malformed;
  if (reading.state != sink::KeyState::present) co_return reading;
  reading.key = Secret(std::string(content_.key));
  if (reading.marker) reading.fingerprint = sink::fingerprint(reading.marker->salt, reading.key);
  co_return reading;
}

token::asio::awaitable<Status> MemorySink::put(const Secret& key, const sink::Marker& marker) {
  fuse_.tick();
  if (fails) co_return fail(ErrorCode::io, "no space left");
  if (fails_late) {
    content_.marker = marker;
    co_return fail(ErrorCode::io, "no space left");
  }
  content_.marker = marker;  // first, as in the file sink
  fuse_.tick();
  content_.key = std::string(key.reveal());
  ++version_;
  backups.push_back(content_);
  fuse_.tick();
  if (fails_falsely) co_return fail(ErrorCode::io, "timed out");
  co_return Status{};
}

Result<std::optional<state::SlotRecord>> CrashingStore::slot(const state::SlotKey& key) {
  fuse_.tick();
  return store_->slot(key);
}

Status CrashingStore::put_slot(const state::SlotKey& key, const state::SlotRecord& record) {
  fuse_.tick();
  Status written = store_->put_slot(key, record);
  backups.push_back(record);
  fuse_.tick();
  return written;
}

SlotWorld::SlotWorld(std::size_t count) {
  slot.identity = {"test", OrgId(2), "sa-2-test", "t"};
  slot.organization_name = "org";
  slot.declared_name = "test/t";
  slot.account = AccountId(account);
  slot.policy.orphan_age = std::chrono::seconds(10);
  slot.policy.grace = std::chrono::seconds(6);
  slot.policy.ttl = std::chrono::seconds(1000);
  slot.policy.rotate_before = std::chrono::seconds(300);
  slot.policy.reissues_per_hour = 1000;
  settings_.reissues_per_minute = 1000;
  settings_.verify_interval = std::chrono::seconds(20);  // longer than the grace
  settings_.unclear_interval = std::chrono::seconds(2);
  settings_.refusal_confirmation = std::chrono::seconds(3);
  settings_.verify_burst = 1000;
  settings_.delivery_tries = 2;
  settings_.delivery_pause = std::chrono::milliseconds(0);
  for (std::size_t i = 0; i < count; ++i)
    sinks.push_back(std::make_unique<MemorySink>(fmt::format("sink {}", i), fuse));
  for (const auto& sink : sinks) slot.sinks.push_back(sink.get());
  foreign = ++grafana.created;
  grafana.tokens[foreign] = {"t-g0001-aaaaaa", "key-foreign", clock.wall(), std::nullopt, std::nullopt};
  grafana.on_remove = [this](std::int64_t id, const LiveToken& token) {
    log += fmt::format("  removes {} {}\n", id, token.name);
    if (blind_) violations.push_back("a token was deleted although it was not known what is there");
    if (id == foreign) violations.push_back("a foreign token was deleted");
    if (!grafana.alive(token)) return;
    if (token.key == consumer.key) violations.push_back("the key that the consumer holds was deleted");
    for (const auto& sink : sinks)
      if (sink->content().key == token.key) violations.push_back("the key that lies in a sink was deleted");
  };
  grafana.on_create = [this] {
    if (blind_) violations.push_back("a token was made although it was not known what is there");
  };
  consumer.read_at = clock.wall();
  restart();
}

void SlotWorld::restart() {
  issuer_ = std::make_unique<token::Issuer>(grafana, store, nullptr, clock, null_log(), settings_);
}

token::asio::awaitable<void> SlotWorld::one_cycle() {
  blind_ = cannot_see();
  slot.account_tokens = static_cast<std::int64_t>(grafana.tokens.size());
  const token::Issuer::TokenList list = co_await issuer_->list(slot);
  const token::Inputs inputs = co_await issuer_->gather(slot, list);
  const token::Decision decision = token::decide(inputs, slot.policy);
  log += fmt::format("  {} {} {} ({})\n", clock.wall().time_since_epoch().count() % 100'000, decision.check,
                     decision.generation, decision.reason);
  using token::Step;
  if (decision.step != Step::issue && decision.step != Step::spread && decision.step != Step::revoke) co_return;
  const Status done = co_await issuer_->carry_out(slot, decision);
  if (!done) log += "  " + done.error().describe() + "\n";
}

bool SlotWorld::cannot_see() const {
  return grafana.lists_fail || (grafana.cuts_list && grafana.tokens.size() > 1) ||
         std::ranges::any_of(sinks, [](const auto& sink) { return sink->unreadable; });
}

void SlotWorld::cycle() {
  static boost::asio::io_context io(1);
  try {
    run_on(io, one_cycle());
  } catch (const Crash&) {
    log += "  crash\n";
    fuse.remove();
    restart();
  }
  fuse.remove();
}

void SlotWorld::consume() {
  consumer.read_at = clock.wall();
  const std::string& found = sinks.front()->content().key;
  if (!found.starts_with("key-")) return;
  consumer.key = found;
  for (auto& [id, token] : grafana.tokens)
    if (token.key == found && grafana.alive(token)) token.used = grafana.now();  // it uses what it holds
}

void SlotWorld::advance(std::chrono::seconds by) {
  const WallTime until = clock.wall() + by;
  while (consumer.read_at + consumer.interval <= until) {
    clock.advance(std::max(consumer.read_at + consumer.interval - clock.wall(), std::chrono::seconds(0)));
    consume();
  }
  clock.advance(until - clock.wall());
}

void SlotWorld::flip_sink(const MemorySink::Content& old) {
  MemorySink& sink = *sinks.front();
  const MemorySink::Content present = sink.content();
  sink.tamper(old);
  consume();
  sink.tamper(present);
}

std::size_t SlotWorld::live() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      grafana.tokens, [&](const auto& entry) { return entry.first != foreign && grafana.alive(entry.second); }));
}

bool SlotWorld::converged() const {
  if (live() != 1) return false;
  return std::ranges::all_of(sinks, [&](const auto& sink) {
    return grafana.alive(sink->content().key) && sink->content().key != "key-foreign" && sink->content().marker;
  });
}

std::string SlotWorld::describe() const {
  std::string text = log;
  for (const std::string& violation : violations) text += "VIOLATED: " + violation + "\n";
  for (const auto& [id, token] : grafana.tokens)
    text += fmt::format("token {} {} {}\n", id, token.name, grafana.alive(token) ? "alive" : "dead");
  for (const auto& sink : sinks) text += fmt::format("{} holds {}\n", sink->describe(), sink->content().key);
  return text + fmt::format("the consumer holds {}\n", consumer.key);
}

void SlotWorld::ask_for_rotation() {
  state::Request request;
  request.organization = slot.organization_name;
  request.name = slot.declared_name;
  request.kind = state::Request::Kind::rotate;
  (void)store.ask(request, WallTime{});
}

}  // namespace graft::test
